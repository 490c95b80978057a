package e2e

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/history"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease/redistest"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// 50 callers update one customer at the same time, through one gateway and through three: every change is kept. The time is
// at most 1.2 times that of their reads and writes one after another, so passing the lease on costs little.
func TestConcurrentUpdatesOfOneCustomerAreAllKept(t *testing.T) {
	rounds := 2
	if soaking(t) {
		rounds = 20
	}
	const callers = 50
	redis := redistest.Start(t) // gives no leases at first, and has some time before it is used
	for _, gateways := range []int{1, 3} {
		t.Run(fmt.Sprintf("%d gateways", gateways), func(t *testing.T) {
			store, url := startStore(t, sandbox.Config{Workers: 4, Latency: 33 * time.Millisecond, Customers: 1})
			args := []string{"--write-settle-time=10s", "--get-timeout=1s"}
			if gateways > 1 {
				args = append(args, "--redis-url="+redis.URL)
			}
			var running []*process
			for range gateways {
				running = append(running, startGateway(t, url, args...))
			}
			_, idleStore := startStore(t, sandbox.Config{Workers: 4, Latency: 33 * time.Millisecond})
			s := newStorm(store)
			warmUp(t, s, running, 1001, 15*time.Second)
			for round := range rounds {
				pair := directPair(t, idleStore, 10)
				var all sync.WaitGroup
				start := time.Now()
				for i := range callers {
					all.Go(func() {
						ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
						defer cancel()
						if call := s.update(ctx, running[i%gateways].customers, 1001); call.Outcome != history.Written {
							t.Errorf("round %d: %s", round, call)
						}
					})
				}
				all.Wait()
				ratio := time.Since(start).Seconds() / (callers * pair.Seconds())
				t.Logf("round %d: %.2f times as long as %d reads and writes one after another", round, ratio, callers)
				if ratio > 1.2 {
					t.Errorf("round %d: %.2f times as long, want at most 1.2", round, ratio)
				}
			}
			s.judge(t, store)
		})
	}
}

// warmUp waits until every gateway updates: a Redis that has just started gives no leases at first.
func warmUp(t *testing.T, s *storm, gateways []*process, customer int64, within time.Duration) {
	t.Helper()
	for _, gateway := range gateways {
		if !waitFor(t, within, func() bool {
			ctx, cancel := context.WithTimeout(t.Context(), within)
			defer cancel()
			return s.update(ctx, gateway.customers, customer).Outcome == history.Written
		}) {
			t.Fatalf("the gateway does not update: %s", gateway.log)
		}
	}
}

// directPair measures a read and a write of a single client without a gateway.
func directPair(t *testing.T, url string, times int) time.Duration {
	t.Helper()
	start := time.Now()
	for range times {
		if err := directUpdate(t.Context(), http.DefaultClient, url, 1); err != nil {
			t.Fatal(err)
		}
	}
	return time.Since(start) / time.Duration(times)
}
