package main

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/cmd/fluentcart-gateway/config"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease"
)

// closeTime is how long stopping waits until the leases are released in Redis. After that they expire by themselves.
const closeTime = 2 * time.Second

// leases gives each customer one writer at a time: in this process, or in all that share a Redis.
type leases struct {
	lease.Locker

	held        func() int                     // customers whose lease is held or waited for in this process
	unavailable func() *lease.UnavailableError // nil while leases are given
	eviction    func() string                  // Redis' eviction policy; nil without Redis
	stop        func()                         // to be called when no call is left
}

func startLeases(ctx context.Context, cfg *config.Loaded, storeURL string, logger *slog.Logger) (*leases, error) {
	limits := lease.LimitsOf(cfg.MaxQueue)
	if cfg.RedisURL == "" {
		local := lease.NewLocal(limits)
		return &leases{Locker: local, held: local.Held, unavailable: func() *lease.UnavailableError { return nil }, stop: func() {}}, nil
	}
	base, err := fluentcart.ParseBaseURL(storeURL)
	if err != nil {
		return nil, err
	}
	var password func() string
	if cfg.RedisPassword != nil {
		password = func() string { return cfg.RedisPassword.Get().Reveal() }
	}
	shared, err := lease.NewRedis(lease.RedisConfig{
		URL:        cfg.RedisURL,
		Password:   password,
		Store:      strings.ToLower(base.Host) + base.Path, // the same for a store that is reached by http and by https
		Term:       2 * cfg.GetTimeout,                     // the read before the write may be repeated, but not after a timeout
		SettleTime: cfg.SettleTime,
		Limits:     limits,
		Logger:     logger,
	})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx)) // calls that drain still take leases
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		shared.Run(ctx)
	}()
	return &leases{shared, shared.Held, shared.Unavailable, shared.EvictionPolicy, func() {
		cancel()
		<-stopped
		within, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
		defer cancel()
		_ = shared.Close(within) // no call is left that an error could harm
	}}, nil
}
