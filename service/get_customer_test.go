package service_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/history"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// get reads a customer. The result is Written if that succeeds.
func (h *harness) get(ctx context.Context, customer int64) result {
	c := result{Call: history.Call{Customer: customer, Begin: time.Now()}}
	response, err := h.service.GetCustomer(ctx, &customerv1.GetCustomerRequest{CustomerId: customer})
	c.End = time.Now()
	c.record(&customerv1.UpdateCustomerResponse{Customer: response.GetCustomer()}, err)
	return c
}

// A customer whose write is in doubt is in quarantine for updates, and can be read.
func TestReadDoesNotWaitForTheCustomersLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, setup{store: sandbox.Config{Customers: 1}})
		inner := h.transport.handler
		hang := make(chan struct{})
		h.transport.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPut {
				<-hang
			}
			inner.ServeHTTP(w, r)
		})
		var updates sync.WaitGroup
		updates.Go(func() { h.update(t.Context(), 1, firstAddedCustomer, "city") })
		<-time.After(100 * time.Millisecond) // the write has been sent
		if c := h.get(t.Context(), firstAddedCustomer); c.Outcome != history.Written || c.took() != latency {
			t.Errorf("the read returned %q after %s", c.reason, c.took())
		}
		close(hang)
		updates.Wait()
		h.finish(t)
	})
}

// Reads and updates of one caller take turns, so that neither keeps the other waiting.
func TestReadsAndUpdatesOfACallerTakeTurns(t *testing.T) {
	for _, row := range []struct {
		name       string
		many, one  func(context.Context, *harness) result
		mostWaited time.Duration
	}{
		{
			"an update behind many reads",
			func(ctx context.Context, h *harness) result { return h.get(ctx, firstAddedCustomer) },
			func(ctx context.Context, h *harness) result { return h.update(ctx, 1, firstAddedCustomer, "city") },
			5 * latency,
		},
		{
			"a read behind many updates",
			func(ctx context.Context, h *harness) result { return h.update(ctx, 1, firstAddedCustomer+1, "city") },
			func(ctx context.Context, h *harness) result { return h.get(ctx, firstAddedCustomer) },
			5 * latency,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHarness(t, setup{store: sandbox.Config{Customers: 2}, service: service.Config{MaxInFlight: 1}})
				var all sync.WaitGroup
				for range 30 {
					all.Go(func() { row.many(t.Context(), h) })
				}
				synctest.Wait()
				if c := row.one(t.Context(), h); c.Outcome != history.Written || c.took() > row.mostWaited {
					t.Errorf("it returned %q after %s", c.reason, c.took())
				}
				all.Wait()
				h.finish(t)
			})
		})
	}
}

// Reads are bounded as updates are: no more at once than there are slots, and no more waiting than the queue has places.
func TestReadsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const calls = 1000
		h := newHarness(t, setup{
			store:   sandbox.Config{Workers: slots, Customers: calls},
			service: service.Config{MaxInFlight: slots, MaxQueue: queue},
		})
		var mu sync.Mutex
		outcomes := map[string]int{}
		var all sync.WaitGroup
		for i := range calls {
			all.Go(func() {
				c := h.get(t.Context(), firstAddedCustomer+int64(i))
				mu.Lock()
				defer mu.Unlock()
				outcomes[c.reason+" "+c.state]++
				if c.reason != "" && (c.took() != 0 || c.retryAfter < time.Second) {
					t.Errorf("rejected after %s, with a retry delay of %s", c.took(), c.retryAfter)
				}
			})
		}
		all.Wait()
		if served, rejected := outcomes[" "], outcomes["OVERLOADED not_sent"]; served != slots+queue || served+rejected != calls {
			t.Errorf("outcomes %v", outcomes)
		}
		if most := h.store.MaxInFlight(); most != slots {
			t.Errorf("%d requests in flight at the store, want %d", most, slots)
		}
		h.finish(t)
	})
}

// A read that cannot end before its deadline is not sent.
func TestReadThatCannotMeetItsDeadlineIsRejectedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, setup{store: sandbox.Config{Customers: 1}})
		h.get(t.Context(), firstAddedCustomer) // so that the latency is known
		ctx, cancel := context.WithTimeout(t.Context(), latency/2)
		defer cancel()
		before := h.methods()
		if c := h.get(ctx, firstAddedCustomer); c.reason != "DEADLINE_PASSED" || c.state != "not_sent" || c.took() != 0 || h.methods() != before {
			t.Errorf("it returned %q, %q after %s", c.reason, c.state, c.took())
		}
		h.finish(t)
	})
}

// The read of an unverified store account is the read that verifies it.
func TestReadVerifiesTheCallersAccount(t *testing.T) {
	for _, row := range []struct {
		name, username, password, reason string
	}{
		{"the right password", sandbox.AdminUsername, sandbox.AdminPassword, ""},
		{"a wrong password", sandbox.AdminUsername, "wrong", "STORE_UNAUTHENTICATED"},
		{"a user who is not a manager", sandbox.SubscriberUsername, sandbox.SubscriberPassword, "STORE_FORBIDDEN"},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHarness(t, withCallersAccounts(setup{store: sandbox.Config{Customers: 1}}))
				ctx := newUsers().by(t, row.username, row.password)
				for range 2 {
					before := h.methods()
					if c := h.get(ctx, firstAddedCustomer); c.reason != row.reason {
						t.Errorf("the read returned %q", c.reason)
					}
					if sent := strings.TrimSpace(strings.TrimPrefix(h.methods(), before)); sent != "GET" {
						t.Errorf("it sent %q", sent)
					}
				}
				h.finish(t)
			})
		})
	}
}
