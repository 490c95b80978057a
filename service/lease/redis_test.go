package lease_test

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease/redistest"
)

const (
	term       = 250 * time.Millisecond
	settleTime = 350 * time.Millisecond
	hold       = term + settleTime
)

// newRedis returns the locker of one gateway.
func newRedis(t *testing.T, server *redistest.Server) *lease.Redis {
	t.Helper()
	return newRedisOf(t, lease.RedisConfig{URL: server.URL, Term: term, SettleTime: settleTime})
}

func newRedisOf(t *testing.T, cfg lease.RedisConfig) *lease.Redis {
	t.Helper()
	cfg.Store = "shop.example.com"
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	locker, err := lease.NewRedis(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan struct{})
	go func() {
		locker.Run(ctx)
		close(stopped)
	}()
	t.Cleanup(func() {
		stop()
		<-stopped
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		_ = locker.Close(ctx)
	})
	return locker
}

// take returns the customer's lease. It retries as long as the server grants none.
func take(t *testing.T, locker lease.Locker, customer int64) lease.Lease {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		held, err := locker.Acquire(ctx, customer, "a")
		if err == nil {
			return held
		}
		var unavailable *lease.UnavailableError
		if !errors.As(err, &unavailable) {
			t.Fatal(err)
		}
		select {
		case <-time.After(max(unavailable.RetryAfter, 10*time.Millisecond)):
		case <-ctx.Done():
			t.Fatal(err)
		}
	}
}

// A server that has restarted, or was flushed, may have lost leases that are still held.
func TestRestartedServerGrantsNoLeaseUntilLostOnesHaveEnded(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	locker := newRedis(t, server)
	expectCold := func(name string) {
		t.Helper()
		before := time.Now()
		_, err := locker.Acquire(t.Context(), 1, "a")
		var unavailable *lease.UnavailableError
		if !errors.As(err, &unavailable) || unavailable.Err != nil || unavailable.RetryAfter > hold {
			t.Fatalf("%s: got %v", name, err)
		}
		take(t, locker, 1).Release()
		if waited := time.Since(before); waited < unavailable.RetryAfter {
			t.Errorf("%s: granted after %s, want none before %s", name, waited, unavailable.RetryAfter)
		}
	}
	expectCold("at first")
	server.Restart(t)
	expectCold("restarted empty")

	client := newClient(t, server)
	if err := client.Save(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	server.Restart(t)
	if kept, err := client.DBSize(t.Context()).Result(); err != nil || kept == 0 {
		t.Fatalf("the server kept %d keys, %v", kept, err)
	}
	expectCold("restarted with saved data")

	if err := client.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	expectCold("flushed")
}

// Fifty writers of three gateways write one customer one at a time, and each of them gets the lease.
func TestGatewaysShareOneLeasePerCustomer(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	gateways := []*lease.Redis{newRedis(t, server), newRedis(t, server), newRedis(t, server)}
	take(t, gateways[0], 1).Release()
	var writing, granted atomic.Int64
	var writers sync.WaitGroup
	for i := range 50 {
		writers.Go(func() {
			held, err := gateways[i%len(gateways)].Acquire(t.Context(), 1, "a")
			if err != nil {
				t.Error(err)
				return
			}
			if writing.Add(1) != 1 {
				t.Error("two writers at a time")
			}
			granted.Add(1)
			writing.Add(-1)
			held.Release()
		})
	}
	writers.Wait()
	if granted.Load() != 50 {
		t.Errorf("%d leases were granted, want 50", granted.Load())
	}
}

// Redis grants leases to the gateways in turn, however many calls wait in each.
func TestBusyGatewayDoesNotStarveAnotherOne(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	busy, quiet := newRedis(t, server), newRedis(t, server)
	first := take(t, busy, 1)
	var ahead atomic.Int64
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			held, err := busy.Acquire(t.Context(), 1, "a")
			if err != nil {
				t.Error(err)
				return
			}
			ahead.Add(1)
			held.Release()
		})
	}
	waitFor(t, func() bool { return busy.QueueLength(1) == 21 })
	all.Go(func() {
		held, err := quiet.Acquire(t.Context(), 1, "a")
		if err != nil {
			t.Error(err)
			return
		}
		if got := ahead.Load(); got > 1 {
			t.Errorf("%d calls of the busy gateway went ahead", got)
		}
		held.Release()
	})
	client := newClient(t, server)
	waitFor(t, func() bool { return redisQueueLength(t, client) == 1 })
	first.Release()
	all.Wait()
}

// redisQueueLength returns how many tokens wait in Redis for customer 1.
func redisQueueLength(t *testing.T, client *redis.Client) int64 {
	t.Helper()
	return client.LLen(t.Context(), "fluentcart-gateway:{shop.example.com}:queue:1").Val()
}

func newClient(t *testing.T, server *redistest.Server) *redis.Client {
	t.Helper()
	options, err := redis.ParseURL(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(options)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func waitFor(t *testing.T, condition func() bool) {
	t.Helper()
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	for end := time.Now().Add(10 * time.Second); !condition(); <-again.C {
		if time.Now().After(end) {
			t.Fatal("the condition was not met within 10 s")
		}
	}
}

// The dead owner's write may have begun at the end of the term, and may be applied until the settle time after that.
func TestLeaseOfADeadOwnerExpiresAfterTermAndSettleTime(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	survivor := newRedis(t, server)
	take(t, survivor, 2).Release()
	before := time.Now()
	take(t, newRedis(t, server), 1) // never released
	take(t, survivor, 1).Release()
	if waited := time.Since(before); waited < hold || waited > hold+2*time.Second {
		t.Errorf("the lease was free after %s, want %s", waited, hold)
	}
}

func TestQuarantineLastsForTheSettleTime(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	owner, next := newRedis(t, server), newRedis(t, server)
	held := take(t, owner, 1)
	const settling = hold - 100*time.Millisecond
	before := time.Now()
	held.Quarantine(settling)
	take(t, next, 1).Release()
	if waited := time.Since(before); waited < settling || waited > settling+2*time.Second {
		t.Errorf("the lease was free after %s, want %s", waited, settling)
	}
}

func TestLeaseAllowsAWriteToBeginDuringItsTerm(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	locker := newRedis(t, server)
	held := take(t, locker, 1)
	if err := held.Check(); err != nil {
		t.Errorf("after Acquire: %v", err)
	}
	begun := time.Now()
	waitFor(t, func() bool { return held.Check() != nil })
	if lived := time.Since(begun); lived < term/2 || lived > term+2*time.Second {
		t.Errorf("expired after %s, want %s", lived, term)
	}
	// The lease is still in Redis, because its write may still be applied. No other gateway has held it.
	if err := held.Renew(t.Context()); err != nil || held.Check() != nil {
		t.Errorf("renewed: %v, %v", err, held.Check())
	}

	newClient(t, server).Del(t.Context(), "fluentcart-gateway:{shop.example.com}:lease:1")
	waitFor(t, func() bool { return held.Check() != nil })
	if err := held.Renew(t.Context()); !errors.Is(err, lease.ErrExpired) {
		t.Errorf("renewing a lost lease: %v", err)
	}
}

func TestServerThatDoesNotAnswerGrantsNoLease(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	locker := newRedisOf(t, lease.RedisConfig{URL: server.URL, Term: term, SettleTime: settleTime})
	take(t, locker, 1).Release()
	refused := func(name string, within time.Duration) {
		t.Helper()
		before := time.Now()
		_, err := locker.Acquire(t.Context(), 1, "a")
		var unavailable *lease.UnavailableError
		if !errors.As(err, &unavailable) || unavailable.Err == nil || time.Since(before) > within {
			t.Errorf("%s: got %v after %s", name, err, time.Since(before))
		}
	}
	waitFor(t, func() bool { return locker.QueueLength(1) == 0 })
	server.Pause(t)
	refused("paused", 2*time.Second)
	var calls sync.WaitGroup
	for range 20 {
		calls.Go(func() { refused("paused, with a queue", 4*time.Second) })
	}
	calls.Wait()
	server.Resume(t)
	take(t, locker, 1).Release()

	server.Kill(t)
	refused("killed", 2*time.Second)
	before := runtime.NumGoroutine()
	for range 1000 {
		refused("killed just now", 2*time.Second)
	}
	if more := runtime.NumGoroutine() - before; more > 100 {
		t.Errorf("%d goroutines for calls that were refused", more)
	}
	server.Restart(t)
	take(t, locker, 1).Release()
}

func TestWaiterWhoseContextEndedIsRemovedFromRedis(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	owner, other := newRedis(t, server), newRedis(t, server)
	held := take(t, owner, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := other.Acquire(ctx, 1, "a"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	client := newClient(t, server)
	waitFor(t, func() bool { return redisQueueLength(t, client) == 0 })
	held.Release()
	take(t, other, 1).Release()
}

func TestRedisURLIsChecked(t *testing.T) {
	err := lease.CheckURL("http://me:secret@host")
	if err == nil || err.Error() != "must be a Redis address such as redis://host:6379/0, or rediss:// for TLS" {
		t.Errorf("got %v", err)
	}
}
