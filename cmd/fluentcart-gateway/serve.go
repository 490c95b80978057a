package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fluentcart-gateway/fluentcart-gateway/cmd/fluentcart-gateway/config"
	"github.com/fluentcart-gateway/fluentcart-gateway/service"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/filereload"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox/faults"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server/interceptor"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server/playground"
)

// serve assembles a gateway, and runs it until ctx is done.
func serve(ctx context.Context, flags *config.Config, stdout, stderr io.Writer) error {
	keepHeadroom()
	logger := newLogger(flags, stderr)
	cfg, err := config.Load(flags, logger)
	if err != nil {
		return &configError{err}
	}
	traces, err := startTraces(ctx, cfg, logger)
	if err != nil {
		return err
	}
	defer traces.stop() //nolint:contextcheck // ctx has ended by then
	listeners, err := listen(ctx, flags)
	if err != nil {
		return err
	}
	defer listeners.close()

	storeURL := cfg.StoreURL
	if cfg.Sandbox {
		storeURL = "http://" + listeners.sandbox.Addr().String()
	}
	calls, updates := interceptor.NewMetrics(), service.NewMetrics()
	metrics := newMetrics(append(traces.collectors(), calls, updates)...)
	client, err := fluentcart.New(storeConfig(cfg, storeURL, metrics.store, logger))
	if err != nil {
		return err
	}
	leases, err := startLeases(ctx, cfg, storeURL, logger)
	if err != nil {
		return err
	}
	defer leases.stop()
	customers, err := service.New(service.Config{
		Store:       client,
		WriteMode:   service.WriteMode(cfg.WriteMode),
		Shared:      cfg.RedisURL != "",
		Leases:      leases,
		MaxInFlight: cfg.MaxInFlight,
		MaxQueue:    cfg.MaxQueue,
		SettleTime:  cfg.SettleTime,
		Logger:      logger,
		Metrics:     updates,
	})
	if err != nil {
		return err
	}
	transports, err := server.New(server.Config{ //nolint:contextcheck // it starts nothing; Run has the context
		Customers:      customers,
		Callers:        cfg.Authenticator(),
		Shed:           customers.Shed,
		TLS:            cfg.TLS(),
		Logger:         logger,
		DefaultTimeout: cfg.DefaultTimeout,
		DrainDelay:     cfg.DrainDelay,
		DrainTimeout:   cfg.DrainTimeout,

		MaxConnectionAge: cfg.GRPCMaxConnectionAge,
		Finish:           customers.Close,
		NotReady:         func() []string { return notReady(ctx, cfg, client, customers, leases) },
		Metrics:          calls,
		Tracer:           traces.tracer(),
		Docs:             docs(cfg),
	})
	if err != nil {
		return err
	}
	metrics.watch(cfg, customers, client, leases, func() bool { return len(transports.NotReady()) == 0 })
	admin := server.NewAdmin(server.AdminConfig{
		NotReady: transports.NotReady,
		Metrics:  metrics.handler(logger),
		Profiles: cfg.AdminPprof,
		Logger:   logger,
	})
	announce(ctx, stdout, cfg, client, listeners, logger)

	// The sandbox store and the reload of files outlive the transports, because calls need them while they drain. So does
	// the admin server, which reports meanwhile that the gateway is not ready any more.
	background, stopBackground := context.WithCancel(context.WithoutCancel(ctx))
	defer stopBackground()
	var group errgroup.Group
	if cfg.Sandbox {
		group.Go(func() error { return serveSandbox(background, listeners.sandbox, cfg.SandboxCompanion) })
	}
	group.Go(func() error { return admin.Run(background, listeners.admin) })
	group.Go(func() error {
		customers.Watch(background)
		return nil
	})
	go filereload.Watch(background, cfg.Files...) // not in the group: a file system that hangs must not keep the gateway from stopping
	group.Go(func() error {
		defer stopBackground()
		return transports.Run(ctx, listeners.grpc, listeners.http)
	})
	return group.Wait()
}

// docs returns the pages of the HTTP/JSON gateway, or nil.
func docs(cfg *config.Loaded) *http.ServeMux {
	if !cfg.ServesDocs() {
		return nil
	}
	return playground.New()
}

// notReady returns why calls cannot be served. It sends no requests, least of all to the store: it is called often.
//
// A store that fails is no reason. All gateways have the same store, and removing them all would only remove the error
// that says so, and the calls that detect the store's return. Redis is a reason where updates take leases: without them the
// gateway would write nothing, and Redis is asked every second without a caller. Credentials that the store has refused are a reason,
// because they are this gateway's own: another gateway may have newer ones. With --write-mode=atomic, so is a store without the
// companion: the operator must see that nothing can be written.
func notReady(ctx context.Context, cfg *config.Loaded, client *fluentcart.Client, customers *service.Service, leases *leases) []string {
	var problems []string
	if mode, problem := customers.Mode(); mode == service.Atomic && problem != "" {
		problems = append(problems, problem)
	}
	if unavailable := leases.unavailable(); unavailable != nil && customers.NeedsLeases() {
		problems = append(problems, unavailable.Problem())
	}
	if cfg.CallerAuth != config.AuthStore && client.CredentialsRefused(ctx) {
		problems = append(problems, "the store refuses the gateway's credentials")
	}
	if cfg.TLSCert != "" && time.Now().After(cfg.CertificateExpiry()) {
		problems = append(problems, "the TLS certificate has expired")
	}
	return problems
}

// serveSandbox serves a new sandbox store, with the companion or without, and the switch for its faults, until ctx is done.
func serveSandbox(ctx context.Context, listener net.Listener, companion bool) error {
	injected := faults.New()
	store := sandbox.New(sandbox.Config{Fail: injected.Fail, Companion: companion})
	defer store.Close()
	httpServer := &http.Server{Handler: injected.Handler(store), ReadHeaderTimeout: 5 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = httpServer.Close() }) // the store's data ends with this process anyway
	defer stop()
	if err := httpServer.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("sandbox: %w", err)
	}
	return nil
}

func newLogger(cfg *config.Config, stderr io.Writer) *slog.Logger {
	level, _ := cfg.Level() // Validate reports the error
	options := &slog.HandlerOptions{Level: level}
	var handler slog.Handler = slog.NewTextHandler(stderr, options)
	if cfg.LogFormat == "json" {
		handler = slog.NewJSONHandler(stderr, options)
	}
	return slog.New(interceptor.LogHandler(handler))
}
