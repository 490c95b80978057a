package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/filereload"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease"
)

// closeTime is how long stopping waits for leases to be released in Redis; they end by themselves else.
const closeTime = 2 * time.Second

// sharedOrLocal is what gives each customer one writer at a time: one of the two.
type sharedOrLocal struct {
	shared *lease.Redis
	local  *lease.Local
}

func (l *sharedOrLocal) locker() lease.Locker {
	if l.shared != nil {
		return l.shared
	}
	return l.local
}

// taken is of how many customers the lease is held or waited for here.
func (l *sharedOrLocal) taken() int {
	if l.shared != nil {
		return l.shared.Held()
	}
	return l.local.Held()
}

// startLeases returns what gives each customer one writer at a time, and how to end it when nobody writes any more.
func startLeases(ctx context.Context, cfg *serveConfig, storeURL string, logger *slog.Logger) (leases *sharedOrLocal, stop func(), err error) {
	if cfg.RedisURL == "" {
		return &sharedOrLocal{local: lease.NewLocal()}, func() {}, nil
	}
	base, err := fluentcart.ParseBaseURL(storeURL)
	if err != nil {
		return nil, nil, err
	}
	shared, err := lease.NewRedis(lease.RedisConfig{
		URL:        cfg.RedisURL,
		Password:   cfg.redisPassword(),
		Store:      strings.ToLower(base.Host) + base.Path, // whoever reaches it by http and by https
		Term:       leaseTerm(cfg),
		SettleTime: cfg.SettleTime.Duration,
		Logger:     logger,
	})
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx)) // calls in flight still take turns
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		shared.Run(ctx)
	}()
	return &sharedOrLocal{shared: shared}, func() {
		cancel()
		<-stopped
		within, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
		defer cancel()
		_ = shared.Close(within) // there is nothing left to lose
	}, nil
}

// checkRedis checks where Redis is, and reads its password.
func (c *serveConfig) checkRedis() []error {
	var faults []error
	if c.RedisURL != "" {
		if err := lease.CheckURL(c.RedisURL); err != nil {
			faults = append(faults, fmt.Errorf("--redis-url: %w", err))
		}
	}
	if c.RedisPasswordFile == "" {
		return faults
	}
	if c.RedisURL == "" {
		faults = append(faults, errors.New("--redis-password-file is of no use without --redis-url"))
	}
	if err := load(c, &c.files.redisPassword, parsePassword, filereload.Source{Name: "--redis-password-file", Path: c.RedisPasswordFile, Secret: true}); err != nil {
		faults = append(faults, err)
	}
	return faults
}

func (c *serveConfig) redisPassword() func() string {
	if c.files.redisPassword == nil {
		return nil
	}
	return func() string { return c.files.redisPassword.Get().Reveal() }
}

// leaseTerm is how long after it got its lease an update may begin to write: the read before that may be repeated, but
// not after it has timed out.
func leaseTerm(cfg *serveConfig) time.Duration { return 2 * cfg.GetTimeout.Duration }

// redisHost is the address of Redis without its credentials.
func redisHost(cfg *serveConfig) string {
	address, err := url.Parse(cfg.RedisURL)
	if err != nil {
		return "at an address that cannot be read"
	}
	return address.Host + address.Path
}
