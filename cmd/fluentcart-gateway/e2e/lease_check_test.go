package e2e

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/history"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease/redistest"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// The checks of a storm detect reverted updates if a part of the leases is broken, and none if it works.
func TestStormDetectsBrokenLeases(t *testing.T) {
	times := 2
	if soaking(t) {
		times = 10
	}
	t.Parallel()
	const within = 10 * time.Second
	someLate := func(r *http.Request) *sandbox.Failure {
		if r.Method != http.MethodPut || rand.IntN(10) > 0 {
			return nil
		}
		return &sandbox.Failure{Work: sandbox.Late, LateBy: time.Second, Delivery: sandbox.Silent}
	}
	for _, row := range []struct {
		name, fault string
		fail        func(*http.Request) *sandbox.Failure
		run         func(context.Context, *testing.T, *storm, string, string)
		found       bool
	}{
		{"without a lease", "no lease", nil, stormOnOneCustomer, true},
		{"without the quarantine", "no quarantine", someLate, stormOnOneCustomer, true},
		{"with the quarantine", "", someLate, stormOnOneCustomer, false},
		{"without the check before a write", "pause, no check", nil, pauseBeyondLease, true},
		{"with the check before a write", "pause", nil, pauseBeyondLease, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			for range times {
				store, url := startStore(t, sandbox.Config{Latency: 5 * time.Millisecond, Customers: pausedCustomers, Fail: row.fail})
				s := newStorm(store)
				ctx, enough := context.WithCancel(t.Context())
				defer enough()
				over := make(chan struct{})
				go func() {
					defer close(over)
					row.run(ctx, t, s, url, row.fault)
				}()
				start := time.Now()
				reverts := func() int { return len(history.Reverts(s.history(), store.Writes())) }
				found := waitFor(t, within, func() bool {
					select {
					case <-over:
						return true
					default:
						return reverts() > 0
					}
				}) && reverts() > 0
				t.Logf("found: %v, after %s", found, time.Since(start).Round(time.Millisecond))
				enough()
				<-over
				if found != row.found {
					t.Errorf("a revert was found: %v, want %v", found, row.found)
				}
				if !row.found {
					s.judge(t, store)
				}
			}
		})
	}
}

// stormOnOneCustomer updates one customer through a faulty gateway for six seconds.
func stormOnOneCustomer(ctx context.Context, t *testing.T, s *storm, url, fault string) {
	gateway := startFaultyGateway(t, fault, url, quickFlags...)
	s.run(ctx, 8, ids(1), func() *process { return gateway }, 6*time.Second)
	gateway.stop()
}

// pausedCustomers is the number of customers whose leases the pausing gateway has.
const pausedCustomers = 8

// pauseBeyondLease lets one gateway pause for longer than its leases live, while a second one updates the same customers.
func pauseBeyondLease(ctx context.Context, t *testing.T, s *storm, url, fault string) {
	redis := redistest.Start(t)
	args := []string{"--redis-url=" + redis.URL, "--get-timeout=200ms", "--put-timeout=300ms", "--write-settle-time=800ms", "--drain-timeout=3s", "--max-in-flight=8"}
	other := startGateway(t, url, args...)
	warmUp(t, s, []*process{other}, 1001, 10*time.Second)
	paused := startFaultyGateway(t, fault, url, args...)
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	over := make(chan struct{})
	var resuming, busy sync.WaitGroup
	for _, customer := range ids(pausedCustomers) {
		resuming.Go(func() { s.update(ctx, paused.customers, customer) })
		busy.Go(func() {
			for {
				select {
				case <-over:
					return
				default:
					s.update(ctx, other.customers, customer)
				}
			}
		})
	}
	resuming.Wait()
	close(over)
	busy.Wait()
	paused.stop()
	other.stop()
}
