package lease_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease/redistest"
)

// Readiness keeps callers away while Redis is down, so the recovery must be seen without any call to Acquire.
func TestRedisStatusIsPolledWithoutCallers(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	locker := newRedis(t, server)
	waitUntil := func(what string, is func(*lease.UnavailableError) bool) {
		t.Helper()
		end := time.After(20 * time.Second)
		again := time.NewTicker(5 * time.Millisecond)
		defer again.Stop()
		for !is(locker.Unavailable()) {
			select {
			case <-again.C:
			case <-end:
				t.Fatalf("Unavailable does not report that Redis is %s: %v", what, locker.Unavailable())
			}
		}
	}
	down := func(u *lease.UnavailableError) bool { return u != nil && u.Err != nil }
	cold := func(u *lease.UnavailableError) bool { return u != nil && u.Err == nil && u.RetryAfter > 0 }
	granting := func(u *lease.UnavailableError) bool { return u == nil }

	waitUntil("cold at first", cold)
	waitUntil("up", granting)
	server.Kill(t)
	waitUntil("down", down)
	server.Restart(t)
	waitUntil("cold", cold)
	waitUntil("up again", granting)
	take(t, locker, 1).Release()
}

func TestRedisIsUnavailableBeforeTheFirstPoll(t *testing.T) {
	locker, err := lease.NewRedis(lease.RedisConfig{URL: "redis://127.0.0.1:1", Term: term, SettleTime: settleTime})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = locker.Close(t.Context()) })
	if locker.Unavailable() == nil {
		t.Error("Unavailable reports that leases are granted before the first poll")
	}
}

// A server that may remove leases before they expire is reported.
func TestEvictionPolicyOfRedisIsKnown(t *testing.T) {
	server := redistest.Start(t)
	client := redis.NewClient(&redis.Options{Network: "unix", Addr: strings.TrimPrefix(server.URL, "unix://")})
	defer client.Close() //nolint:errcheck // a test's own connection
	log := &lockedBuffer{}
	locker := newRedisOf(t, lease.RedisConfig{URL: server.URL, Term: term, SettleTime: settleTime, Logger: slog.New(slog.NewTextHandler(log, nil))})
	if before := locker.EvictionPolicy(); before != "unknown" && before != "noeviction" {
		t.Errorf("policy %q before the first change", before)
	}
	for _, policy := range []string{"noeviction", "allkeys-lru", "volatile-ttl"} {
		if err := client.ConfigSet(t.Context(), "maxmemory-policy", policy).Err(); err != nil {
			t.Fatal(err)
		}
		logged := func() bool { return strings.Contains(log.String(), "policy="+policy) }
		waitFor(t, func() bool { return locker.EvictionPolicy() == policy && (policy == "noeviction" || logged()) })
		if warned := logged(); warned != (policy != "noeviction") {
			t.Errorf("the log warns of %s: %v\n%s", policy, warned, log.String())
		}
	}
}
