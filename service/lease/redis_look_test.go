package lease_test

import (
	"testing"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease/redistest"
)

// Nobody calls here: whoever keeps calls away while Redis is away must learn without them that it is back.
func TestRedisIsLookedAfterWithoutCallers(t *testing.T) {
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
				t.Fatalf("it is not known that Redis is %s: %v", what, locker.Unavailable())
			}
		}
	}
	away := func(u *lease.UnavailableError) bool { return u != nil && u.Err != nil }
	cold := func(u *lease.UnavailableError) bool { return u != nil && u.Err == nil && u.RetryAfter > 0 }
	given := func(u *lease.UnavailableError) bool { return u == nil }

	waitUntil("cold at first", cold)
	waitUntil("there", given)
	server.Kill(t)
	waitUntil("away", away)
	server.Restart(t)
	waitUntil("cold", cold)
	waitUntil("back", given)
	take(t, locker, 1).Release()
}

func TestLeasesAreNotGivenBeforeRedisWasAsked(t *testing.T) {
	locker, err := lease.NewRedis(lease.RedisConfig{URL: "redis://127.0.0.1:1", Term: term, SettleTime: settleTime})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = locker.Close(t.Context()) })
	if locker.Unavailable() == nil {
		t.Error("Redis is said to give leases, and nobody has asked it")
	}
}
