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

	"github.com/fluentcart-gateway/fluentcart-gateway/service"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/filereload"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server"
)

// serve puts everything together, and runs until ctx is done.
func serve(ctx context.Context, cfg *serveConfig, stdout, stderr io.Writer) error {
	logger := newLogger(cfg, stderr)
	cfg.logger = logger
	if err := cfg.check(); err != nil {
		return &configError{err}
	}
	listeners, err := listen(ctx, cfg)
	if err != nil {
		return err
	}
	defer listeners.close()

	storeURL := cfg.StoreURL
	if cfg.Sandbox {
		storeURL = "http://" + listeners.sandbox.Addr().String()
	}
	metrics := newMetrics()
	client, err := fluentcart.New(cfg.storeConfig(storeURL, metrics.store, logger))
	if err != nil {
		return err
	}
	leases, stopLeases, err := startLeases(ctx, cfg, storeURL, logger)
	if err != nil {
		return err
	}
	defer stopLeases()
	locker := leases.locker()
	if cfg.sabotage != nil {
		locker = cfg.sabotage(locker)
	}
	customers, err := service.New(service.Config{
		Store:       client,
		WriteMode:   service.WriteMode(cfg.WriteMode),
		Leases:      locker,
		MaxInFlight: cfg.MaxInFlight,
		MaxQueue:    cfg.MaxQueue,
		SettleTime:  cfg.SettleTime.Duration,
		Logger:      logger,
	})
	if err != nil {
		return err
	}
	doors, err := server.New(server.Config{ //nolint:contextcheck // it starts nothing; Run has the context
		Customers:      customers,
		Callers:        cfg.authenticator(),
		TLS:            cfg.doorTLS(),
		Logger:         logger,
		DefaultTimeout: cfg.DefaultTimeout.Duration,
		DrainTimeout:   cfg.DrainTimeout.Duration,
		Finish:         customers.Close,
		NotReady:       func() []string { return cfg.notReady(ctx, client, leases) },
		Metrics:        metrics.doors,
	})
	if err != nil {
		return err
	}
	metrics.watch(cfg, customers, client, leases, doors)
	admin := server.NewAdmin(server.AdminConfig{
		NotReady: doors.NotReady,
		Metrics:  metrics.handler(logger),
		Profiles: cfg.AdminPprof,
		Logger:   logger,
	})
	announce(stdout, cfg, client, listeners, logger)

	// What the calls in flight need outlives the doors: the stand-in, and the files. So does the admin door, which says
	// meanwhile that the gateway is not ready any more.
	behind, stopBehind := context.WithCancel(context.WithoutCancel(ctx))
	defer stopBehind()
	var group errgroup.Group
	if cfg.Sandbox {
		group.Go(func() error { return serveSandbox(behind, listeners.sandbox) })
	}
	group.Go(func() error { return admin.Run(behind, listeners.admin) })
	go filereload.Watch(behind, cfg.files.watched...) // nobody waits for it: a file system that hangs must not keep the gateway from stopping
	group.Go(func() error {
		defer stopBehind()
		return doors.Run(ctx, listeners.grpc, listeners.http)
	})
	return group.Wait()
}

// serveSandbox serves a new stand-in until ctx is done.
func serveSandbox(ctx context.Context, listener net.Listener) error {
	stand := &http.Server{Handler: sandbox.New(sandbox.Config{}), ReadHeaderTimeout: 5 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = stand.Close() }) // nobody but this process loses by it
	defer stop()
	if err := stand.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("sandbox: %w", err)
	}
	return nil
}

func newLogger(cfg *serveConfig, stderr io.Writer) *slog.Logger {
	level, _ := cfg.level() // check has looked at it
	options := &slog.HandlerOptions{Level: level}
	var handler slog.Handler = slog.NewTextHandler(stderr, options)
	if cfg.LogFormat == "json" {
		handler = slog.NewJSONHandler(stderr, options)
	}
	return slog.New(server.LogHandler(handler))
}
