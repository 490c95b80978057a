package service_test

import (
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/fluentcart-gateway/fluentcart-gateway/service"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/history"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// A write that was sent, and is never seen, is unknown to its caller, and in the way of others until it cannot land any
// more: for exactly as long, and counted from its first byte.
func TestLostWriteHoldsItsCustomerForMaxLanding(t *testing.T) {
	const landing = 30 * time.Second
	const connecting = 20 * time.Millisecond
	const firstByte = latency + connecting
	for name, row := range map[string]struct {
		deadline, told time.Duration
		code           codes.Code
	}{
		"no deadline":                             {0, firstByte + landing, codes.Unknown},
		"a deadline after the landing":            {40 * time.Second, firstByte + landing, codes.Unknown},
		"a deadline while it is looked for":       {10 * time.Second, 10 * time.Second, codes.DeadlineExceeded},
		"a deadline while the store is waited on": {500 * time.Millisecond, 500 * time.Millisecond, codes.DeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHarness(t, setup{
					store:       sandbox.Config{Fail: firstWrite(sandbox.Failure{Work: sandbox.Never, Delivery: sandbox.Silent})},
					service:     service.Config{SettleTime: landing},
					connectTime: connecting,
				})
				var callers sync.WaitGroup
				callers.Go(func() {
					ctx := t.Context()
					if row.deadline > 0 {
						ctx = contextEnding(t, byDeadline, row.deadline)
					}
					first := h.update(ctx, 1, 1, "city")
					if first.code != row.code || first.reason != "WRITE_OUTCOME_UNKNOWN" || first.state != "unknown" || first.took() != row.told {
						t.Errorf("the caller was told %s, %s, %s after %v, want %s after %v", first.Code, first.reason, first.state, first.took(), row.code, row.told)
					}
				})
				callers.Go(func() {
					advance(100 * time.Millisecond)
					if second := h.update(t.Context(), 2, 1, "notes"); second.Outcome != history.Written {
						t.Errorf("the next caller was told %s", second.Code)
					}
				})
				callers.Go(func() {
					advance(200 * time.Millisecond)
					if third := h.update(contextEnding(t, byDeadline, 5*time.Second), 3, 1, "state"); third.reason != "DEADLINE_PASSED" || third.state != "not_sent" || third.took() != 5*time.Second {
						t.Errorf("who waited in vain was told %s, %s, %s after %v", third.Code, third.reason, third.state, third.took())
					}
				})
				callers.Go(func() {
					advance(25 * time.Second)
					if got := h.service.Writes(); got != (service.Writes{InFlight: 1, InDoubt: 1}) {
						t.Errorf("while it is looked for there are %+v", got)
					}
				})
				callers.Wait()
				h.finish(t)
				if got := h.service.Writes(); got != (service.Writes{}) {
					t.Errorf("at the end there are %+v", got)
				}
				h.checkHistory(t)

				lost := h.transport.requestsWhere(func(r sentRequest) bool { return r.call == 1 && r.method == http.MethodPut })
				next := h.transport.requestsWhere(func(r sentRequest) bool { return r.call == 2 })
				if len(lost) != 1 || len(next) != 2 {
					t.Fatalf("%d and %d requests, want one write, and a read and a write", len(lost), len(next))
				}
				if after := next[0].at.Sub(lost[0].at); after != landing {
					t.Errorf("the next caller's turn came %v after the first byte of the write, want %v", after, landing)
				}
				if vain := h.transport.requestsWhere(func(r sentRequest) bool { return r.call == 3 }); len(vain) != 0 {
					t.Errorf("%d requests for the one who waited in vain", len(vain))
				}
			})
		})
	}
}

// In write mode replace there is nothing to compare a later read with: the caller learns at once that the outcome is
// unknown, and the customer is held all the same.
func TestLostReplacementHoldsItsCustomerForMaxLanding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const landing = 30 * time.Second
		h := newHarness(t, setup{
			store:   sandbox.Config{Fail: firstWrite(sandbox.Failure{Work: sandbox.Never, Delivery: sandbox.Silent})},
			service: service.Config{SettleTime: landing, WriteMode: service.Replace},
		})
		began := time.Now()
		if first := h.update(t.Context(), 1, 1, "city"); first.state != "unknown" || first.took() != timeout {
			t.Errorf("the caller was told %s, %s after %v", first.Code, first.state, first.took())
		}
		if second := h.update(t.Context(), 2, 1, "notes"); second.state != "rejected" { // it lacks an e-mail and a name
			t.Errorf("the next caller was told %s, %s", second.Code, second.state)
		}
		h.finish(t)
		h.checkHistory(t)
		for _, next := range h.transport.requestsWhere(func(r sentRequest) bool { return r.call == 2 }) {
			if after := next.at.Sub(began); after != landing || next.method != http.MethodPut {
				t.Errorf("the next caller's %s came after %v, want a PUT after %v", next.method, after, landing)
			}
		}
	})
}
