package lease_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease/redistest"
)

// A Redis that refuses its client is not one that does not answer: the operator must look elsewhere.
func TestRedisThatRefusesItsClientIsNamed(t *testing.T) {
	const (
		wantsPassword = "Redis wants a password"
		wrongPassword = "Redis refuses the password or the user name"
		notPermitted  = "Redis does not permit its user the commands or keys that leases need"
	)
	for _, row := range []struct {
		name     string
		username string
		password string
		refuse   []any // the operator's command
		problem  string
	}{
		{"it wants a password later", "", "", []any{"CONFIG", "SET", "requirepass", "canary"}, wantsPassword},
		{"its password has changed", "", "canary-old", []any{"CONFIG", "SET", "requirepass", "canary"}, wrongPassword},
		{"its user was disabled", "gateway", "canary", []any{"ACL", "SETUSER", "gateway", "off"}, wrongPassword},
		{"its user was deleted", "gateway", "canary", []any{"ACL", "DELUSER", "gateway"}, wrongPassword},
		{"its user may not run scripts", "gateway", "canary", []any{"ACL", "SETUSER", "gateway", "-@scripting"}, notPermitted},
		{"its user may not use these keys", "gateway", "canary", []any{"ACL", "SETUSER", "gateway", "resetkeys", "~other:*"}, notPermitted},
		{"its user may not use a command of the scripts", "gateway", "canary", []any{"ACL", "SETUSER", "gateway", "-info", "-get", "-set", "-pttl", "-zadd"}, notPermitted},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := redistest.Start(t)
			options, err := redis.ParseURL(server.URL)
			if err != nil {
				t.Fatal(err)
			}
			operator := redis.NewClient(options)
			t.Cleanup(func() { _ = operator.Close() })
			do := func(args ...any) {
				t.Helper()
				if err := operator.Do(t.Context(), args...).Err(); err != nil {
					t.Fatal(err)
				}
			}
			cfg := lease.RedisConfig{URL: server.URL, Term: term, SettleTime: settleTime}
			if row.username != "" {
				do("ACL", "SETUSER", row.username, "on", ">"+row.password, "~*", "&*", "+@all")
				cfg.URL = strings.Replace(server.URL, "unix://", "unix://"+row.username+"@", 1)
			} else if row.password != "" {
				do("CONFIG", "SET", "requirepass", row.password)
			}
			if row.password != "" {
				cfg.Password = func() string { return row.password }
			}
			var log lockedBuffer
			cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
			locker := newRedisWithLog(t, cfg)
			take(t, locker, 1).Release()

			do(row.refuse...)
			do("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
			_ = operator.Do(t.Context(), "CLIENT", "KILL", "TYPE", "pubsub")
			var unavailable *lease.UnavailableError
			waitFor(t, func() bool {
				held, err := locker.Acquire(t.Context(), 2, "a")
				if err == nil {
					held.Release()
					return false
				}
				return errors.As(err, &unavailable) && unavailable.Problem() == row.problem
			})
			if text := unavailable.Error(); !strings.HasPrefix(text, "lease: "+row.problem+": ") {
				t.Errorf("the error is %s", text)
			}
			waitFor(t, func() bool { return locker.Unavailable() != nil && locker.Unavailable().Problem() == row.problem })
			waitFor(t, func() bool { return strings.Contains(log.String(), row.problem) })
			if strings.Contains(log.String()+unavailable.Error(), "canary") {
				t.Errorf("the password is shown: %s, %s", unavailable, log.String())
			}
		})
	}
}

// A refusal that replaces another failure is logged, because something else must be repaired.
func TestStatusOfRedisIsLoggedWhenTheReasonChanges(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	var log lockedBuffer
	locker := newRedisWithLog(t, lease.RedisConfig{URL: server.URL, Term: term, SettleTime: settleTime, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	take(t, locker, 1).Release()
	server.Kill(t)
	waitFor(t, func() bool { return strings.Contains(log.String(), "Redis does not answer") })
	server.RestartWithPassword(t, "canary")
	waitFor(t, func() bool { return strings.Contains(log.String(), "Redis wants a password") })
}

// newRedisWithLog is newRedisOf with the logger of cfg.
func newRedisWithLog(t *testing.T, cfg lease.RedisConfig) *lease.Redis {
	t.Helper()
	cfg.Store = "shop.example.com"
	locker, err := lease.NewRedis(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { locker.Run(ctx) })
	t.Cleanup(func() {
		stop()
		running.Wait()
		ctx, cancel := context.WithCancel(context.Background())
		cancel() // a Redis that refuses the gateway releases nothing
		_ = locker.Close(ctx)
	})
	return locker
}
