package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"golang.org/x/net/netutil"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/server/httpjson"
)

const (
	// adminConnections is how many connections the admin door has at a time; others wait. Each is for one request, so
	// that one who holds it without asking for anything loses it after the time for the headers.
	adminConnections = 64
	// adminStopTime is how long a request may take to end once the admin door stops.
	adminStopTime = time.Second
)

// AdminConfig is what an Admin needs to know.
type AdminConfig struct {
	// NotReady returns why calls cannot be served, in fixed words; none if they can.
	NotReady func() []string
	// Metrics answers to /metrics.
	Metrics http.Handler
	// Profiles serves /debug/pprof/.
	Profiles bool
	// Logger is told of faults.
	Logger *slog.Logger
}

// Admin is the door for those who run the gateway: a kubelet, Prometheus, an operator. Nobody has to prove who they are
// there, so it shows no personal data and no secrets, and changes nothing.
type Admin struct{ http http.Server }

// NewAdmin returns an Admin. It listens on nothing yet.
func NewAdmin(cfg AdminConfig) *Admin {
	mux := http.NewServeMux() // never http.DefaultServeMux, where any package can put what it likes
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if problems := cfg.NotReady(); len(problems) > 0 {
			say(w, http.StatusServiceUnavailable, problems...)
			return
		}
		say(w, http.StatusOK, "ready")
	})
	mux.Handle("GET /metrics", cfg.Metrics)
	if cfg.Profiles {
		serveProfiles(mux)
	}
	a := &Admin{http: http.Server{
		Handler:           adminBounds(mux),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       5 * time.Second,
		WriteTimeout:      10 * time.Second, // a profile that takes its time gets that besides
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
	a.http.BaseContext = func(net.Listener) context.Context { return requests } // ends a profile that is being taken
	failed := make(chan error, 1)
	go func() { failed <- a.http.Serve(netutil.LimitListener(listener, adminConnections)) }()
	select {
	case err := <-failed:
		return fmt.Errorf("admin door: %w", err)
	case <-ctx.Done():
	}
	within, cancelStop := context.WithTimeout(context.WithoutCancel(ctx), adminStopTime)
	defer cancelStop()
	if a.http.Shutdown(within) != nil {
		_ = a.http.Close() // whoever is cut off asked for something of this process, which ends
	}
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("admin door: %w", err)
	}
	return nil
}

// adminBounds refuses what no request here has. The methods are those of the mux.
func adminBounds(next http.Handler) http.Handler {
	var origins http.CrossOriginProtection
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store") // an answer is about now
		switch {
		case r.ContentLength != 0:
			say(w, http.StatusRequestEntityTooLarge, "requests here have no body")
		case origins.Check(r) != nil || httpjson.BrowserByOtherName(r):
			// As at the JSON door: a web page that gives its own name this machine's address could read what it likes.
			say(w, http.StatusForbidden, "a browser may come here as localhost, 127.0.0.1 or [::1] only")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func say(w http.ResponseWriter, httpStatus int, lines ...string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(httpStatus)
	_, _ = io.WriteString(w, strings.Join(lines, "\n")+"\n") // who is gone cannot be told
}
