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
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server"
)

// serve puts everything together, and runs until ctx is done.
func serve(ctx context.Context, cfg *serveConfig, stdout, stderr io.Writer) error {
	if err := cfg.check(); err != nil {
		return &configError{err}
	}
	listeners, err := listen(ctx, cfg)
	if err != nil {
		return err
	}
	defer listeners.close()
	logger := newLogger(cfg, stderr)

	store := fluentcart.Config{
		BaseURL:    cfg.StoreURL,
		Username:   cfg.StoreUsername,
		Password:   cfg.password,
		GetTimeout: cfg.GetTimeout.Duration,
		PutTimeout: cfg.PutTimeout.Duration,
		UserAgent:  "fluentcart-gateway/" + version(),
		Rate:       cfg.StoreRate,
		BreakerChanged: func(open bool) {
			if open {
				logger.Warn("the store fails; it is left alone, and asked again once a second whether it is back")
			} else {
				logger.Info("the store is back")
			}
		},
	}
	if cfg.Sandbox {
		store.BaseURL = "http://" + listeners.sandbox.Addr().String()
		store.Username, store.Password = sandbox.AdminUsername, sandbox.AdminPassword
	}
	client, err := fluentcart.New(store)
	if err != nil {
		return err
	}
	leases, stopLeases, err := startLeases(ctx, cfg, store.BaseURL, logger)
	if err != nil {
		return err
	}
	defer stopLeases()
	if cfg.sabotage != nil {
		leases = cfg.sabotage(leases)
	}
	customers, err := service.New(service.Config{
		Store:         client,
		WriteMode:     service.WriteMode(cfg.WriteMode),
		AllowUserLink: cfg.AllowUserLink,
		Leases:        leases,
		MaxInFlight:   cfg.MaxInFlight,
		MaxQueue:      cfg.MaxQueue,
		MaxLanding:    cfg.MaxLanding.Duration,
		Caller:        server.Caller,
		Logger:        logger,
	})
	if err != nil {
		return err
	}
	doors, err := server.New(server.Config{ //nolint:contextcheck // it starts nothing; Run has the context
		Customers:      customers,
		HTTPStatus:     service.HTTPStatus,
		Logger:         logger,
		DefaultTimeout: cfg.DefaultTimeout.Duration,
		DrainTimeout:   cfg.DrainTimeout.Duration,
		Finish:         customers.Close,
	})
	if err != nil {
		return err
	}
	announce(stdout, cfg, client, listeners)

	// The stand-in outlives the doors, so that the calls in flight still have a store.
	sandboxCtx, stopSandbox := context.WithCancel(context.WithoutCancel(ctx))
	defer stopSandbox()
	var group errgroup.Group
	if cfg.Sandbox {
		group.Go(func() error { return serveSandbox(sandboxCtx, listeners.sandbox) })
	}
	group.Go(func() error {
		defer stopSandbox()
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
