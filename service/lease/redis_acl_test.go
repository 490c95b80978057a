package lease_test

import (
	"context"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease/redistest"
)

// The user of Redis that docs/operations.md shows may do all that leases need, and nothing else: without any of the rights
// Redis refuses something.
func TestDocumentedRedisUserHasTheRightsThatLeasesNeed(t *testing.T) {
	page, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`(?m)^user gateway (on .*)$`).FindSubmatch(page)
	if line == nil {
		t.Fatal("docs/operations.md shows no user")
	}
	rights := strings.Fields(string(line[1]))
	if refused := refusedWith(t, rights); len(refused) != 0 {
		t.Errorf("Redis refuses %s", refused)
	}
	for _, right := range rights {
		if right == "on" || strings.HasPrefix(right, ">") || right == "+ping" { // the client pings after seconds of silence
			continue
		}
		t.Run("without "+right, func(t *testing.T) {
			t.Parallel()
			if refused := refusedWith(t, slices.DeleteFunc(slices.Clone(rights), func(other string) bool { return other == right })); len(refused) == 0 {
				t.Error("Redis refuses nothing, so this right is not needed")
			}
		})
	}
}

// refusedWith uses leases in each way as a user with these rights, and returns the commands, keys and channels that Redis has
// refused.
func refusedWith(t *testing.T, rights []string) []string {
	t.Helper()
	server := redistest.Start(t)
	operator := newClient(t, server)
	command := []any{"ACL", "SETUSER", "gateway"}
	for _, right := range rights {
		command = append(command, right)
	}
	if err := operator.Do(t.Context(), command...).Err(); err != nil {
		t.Fatal(err)
	}
	locker := newRedisWithLog(t, lease.RedisConfig{
		URL: strings.Replace(server.URL, "unix://", "unix://gateway@", 1), Password: func() string { return "PASSWORD" },
		Term: 50 * time.Millisecond, SettleTime: 50 * time.Millisecond, Logger: slog.New(slog.DiscardHandler),
	})
	other := newRedisWithLog(t, lease.RedisConfig{
		URL: strings.Replace(server.URL, "unix://", "unix://gateway@", 1), Password: func() string { return "PASSWORD" },
		Term: 50 * time.Millisecond, SettleTime: 50 * time.Millisecond, Logger: slog.New(slog.DiscardHandler),
	})
	var refused []string
	waitFor(t, func() bool { // until leases have been granted, or something was refused
		refused = aclLog(t, operator)
		return len(refused) > 0 || useLeases(t.Context(), locker, other)
	})
	return append(refused, aclLog(t, operator)...)
}

// useLeases takes a lease, lets another gateway wait for it, and withholds it. It reports whether all of it worked.
func useLeases(ctx context.Context, locker, other *lease.Redis) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	held, err := locker.Acquire(ctx, 1, "a")
	if err != nil {
		return false
	}
	waited := make(chan error, 1)
	go func() {
		next, err := other.Acquire(ctx, 1, "b")
		if err == nil {
			next.Quarantine(time.Millisecond)
			next.Release()
		}
		waited <- err
	}()
	_, granted := locker.LastGrant(ctx, 1)
	renewed := held.Renew(ctx)
	<-time.After(20 * time.Millisecond) // the other one waits in Redis by then; if not, the next attempt shows it
	held.Release()
	return <-waited == nil && granted == nil && renewed == nil
}

// aclLog returns what Redis has refused.
func aclLog(t *testing.T, operator *redis.Client) []string {
	t.Helper()
	entries, err := operator.ACLLog(t.Context(), 10).Result()
	if err != nil {
		t.Fatal(err)
	}
	var refused []string
	for _, entry := range entries {
		refused = append(refused, entry.Reason+" "+entry.Object)
	}
	return refused
}
