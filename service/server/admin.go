package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof" // it registers itself with http.DefaultServeMux too, which nothing here serves
	"strings"
	"time"

	"golang.org/x/net/netutil"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server/browser"
)

const (
	// adminConnections is how many connections the admin server has at a time; further ones wait. Each is for one
	// request, and an idle one is closed after the time for the headers.
	adminConnections = 64
	// adminStopTime is how long a request may take to end once the admin server stops.
	adminStopTime = time.Second
)

// AdminConfig is what an Admin needs.
type AdminConfig struct {
	// NotReady returns the reasons why calls cannot be served, in fixed words, and none if they can.
	NotReady func() []string
	// Metrics serves /metrics.
	Metrics http.Handler
	// Profiles serves /debug/pprof/.
	Profiles bool
	// Logger gets faults of the server.
	Logger *slog.Logger
}

// Admin is the server for operation: a kubelet, Prometheus, an operator. It authenticates no client, so it shows no personal
// data and no secrets, and changes nothing.
type Admin struct{ http http.Server }

// NewAdmin returns an Admin. It listens on nothing yet.
func NewAdmin(cfg AdminConfig) *Admin {
	mux := http.NewServeMux() // not http.DefaultServeMux, where any package can register handlers
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { writeLines(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if problems := cfg.NotReady(); len(problems) > 0 {
			writeLines(w, http.StatusServiceUnavailable, problems...)
			return
		}
		writeLines(w, http.StatusOK, "ready")
	})
	mux.Handle("GET /metrics", cfg.Metrics)
	if cfg.Profiles {
		handleProfiles(mux)
	}
	wrongPort := apierror.New(apierror.NoSuchPath, apierror.NotSent, "this is the port of the admin server, which speaks HTTP/1.1; gRPC is served at --grpc-addr")
	a := &Admin{http: http.Server{
		Handler:           refusingHTTP2(adminBounds(mux), func(*http.Request) *apierror.Error { return wrongPort }),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       5 * time.Second,
		WriteTimeout:      10 * time.Second, // pprof adds the duration of a profile
		IdleTimeout:       5 * time.Second,
		MaxHeaderBytes:    8 << 10,
		Protocols:         new(http.Protocols),
		ErrorLog:          slog.NewLogLogger(cfg.Logger.Handler(), slog.LevelWarn),
	}}
	a.http.Protocols.SetHTTP1(true)
	a.http.SetKeepAlivesEnabled(false)
	return a
}

// Run serves until ctx is done, and returns when everything has stopped. It closes the listener.
func (a *Admin) Run(ctx context.Context, listener net.Listener) error {
	requests, cancel := context.WithCancel(ctx)
	defer cancel()
	a.http.BaseContext = func(net.Listener) context.Context { return requests } // it ends a profile that is being taken
	failed := make(chan error, 1)
	go func() { failed <- a.http.Serve(netutil.LimitListener(listener, adminConnections)) }()
	select {
	case err := <-failed:
		return fmt.Errorf("admin server: %w", err)
	case <-ctx.Done():
	}
	within, cancelStop := context.WithTimeout(context.WithoutCancel(ctx), adminStopTime)
	defer cancelStop()
	if a.http.Shutdown(within) != nil {
		_ = a.http.Close() // the requests that it cuts off are about this process, which ends
	}
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("admin server: %w", err)
	}
	return nil
}

// adminBounds rejects requests that no client of the admin server has to send. The mux rejects other methods.
func adminBounds(next http.Handler) http.Handler {
	var origins http.CrossOriginProtection
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store") // a response is about the present
		switch {
		case r.ContentLength != 0:
			writeLines(w, http.StatusRequestEntityTooLarge, "requests here have no body")
		case origins.Check(r) != nil || browser.MayBeRebound(r):
			// As at the HTTP/JSON gateway: a web page whose name points to this machine could read all responses.
			writeLines(w, http.StatusForbidden, "a browser may come here as localhost, 127.0.0.1 or [::1] only")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// handleProfiles serves runtime profiles. They show names of functions, addresses and amounts of memory, and the command
// line, and never the contents of memory.
func handleProfiles(mux *http.ServeMux) {
	mux.HandleFunc("GET /debug/pprof/", pprof.Index) // and the profiles by name
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
}

func writeLines(w http.ResponseWriter, httpStatus int, lines ...string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(httpStatus)
	_, _ = io.WriteString(w, strings.Join(lines, "\n")+"\n") // it fails for a client that is gone
}
