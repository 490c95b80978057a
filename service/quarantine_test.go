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

// A write that is sent and never applied has an unknown outcome. Its customer is in quarantine for exactly the settle time,
// counted from the write's first byte.
func TestUnansweredWriteKeepsItsCustomerInQuarantineForTheSettleTime(t *testing.T) {
	const settleTime = 30 * time.Second
	const connectTime = 20 * time.Millisecond
	const firstByte = latency + connectTime
	for name, row := range map[string]struct {
		deadline, reported time.Duration // reported is when the call gets its outcome
		code               codes.Code
	}{
		"the call has no deadline":                        {0, firstByte + settleTime, codes.Unknown},
		"the deadline is after the settle time":           {40 * time.Second, firstByte + settleTime, codes.Unknown},
		"the deadline passes while the write is verified": {10 * time.Second, 10 * time.Second, codes.DeadlineExceeded},
		"the deadline passes before the store responds":   {500 * time.Millisecond, 500 * time.Millisecond, codes.DeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHarness(t, setup{
					store:       sandbox.Config{Fail: failFirstWrite(sandbox.Failure{Work: sandbox.Never, Delivery: sandbox.Silent})},
					service:     service.Config{SettleTime: settleTime},
					connectTime: connectTime,
				})
				var callers sync.WaitGroup
				callers.Go(func() {
					ctx := t.Context()
					if row.deadline > 0 {
						ctx = contextEnding(t, byDeadline, row.deadline)
					}
					first := h.update(ctx, 1, 1, "city")
					if first.code != row.code || first.reason != "WRITE_OUTCOME_UNKNOWN" || first.state != "unknown" || first.took() != row.reported {
						t.Errorf("the call got %s, %s, %s after %v, want %s after %v", first.Code, first.reason, first.state, first.took(), row.code, row.reported)
					}
				})
				callers.Go(func() {
					advance(100 * time.Millisecond)
					if second := h.update(t.Context(), 2, 1, "notes"); second.Outcome != history.Written {
						t.Errorf("the next call got %s", second.Code)
					}
				})
				callers.Go(func() {
					advance(200 * time.Millisecond)
					if third := h.update(contextEnding(t, byDeadline, 5*time.Second), 3, 1, "state"); third.reason != "DEADLINE_PASSED" || third.state != "not_sent" || third.took() != 5*time.Second {
						t.Errorf("the call whose deadline passes in the queue got %s, %s, %s after %v", third.Code, third.reason, third.state, third.took())
					}
				})
				callers.Go(func() {
					advance(25 * time.Second)
					if got := h.service.Writes(); got != (service.Writes{InFlight: 1, InDoubt: 1}) {
						t.Errorf("while the write is verified there are %+v", got)
					}
				})
				callers.Wait()
				h.finish(t)
				if got := h.service.Writes(); got != (service.Writes{}) {
					t.Errorf("after all writes have their outcome there are %+v", got)
				}
				h.checkHistory(t)

				unanswered := h.transport.requestsWhere(func(r sentRequest) bool { return r.call == 1 && r.method == http.MethodPut })
				next := h.transport.requestsWhere(func(r sentRequest) bool { return r.call == 2 })
				if len(unanswered) != 1 || len(next) != 2 {
					t.Fatalf("%d and %d requests, want one write, and a read and a write", len(unanswered), len(next))
				}
				if after := next[0].at.Sub(unanswered[0].at); after != settleTime {
					t.Errorf("the next call got the lease %v after the first byte of the write, want %v", after, settleTime)
				}
				if expired := h.transport.requestsWhere(func(r sentRequest) bool { return r.call == 3 }); len(expired) != 0 {
					t.Errorf("%d requests were sent for the call whose deadline passed in the queue, want 0", len(expired))
				}
			})
		})
	}
}

// In write mode replace there is no earlier read to compare with, so the write cannot be verified: the caller gets the
// unknown outcome at once. The customer is in quarantine all the same.
func TestUnansweredReplacementKeepsItsCustomerInQuarantineForTheSettleTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const settleTime = 30 * time.Second
		h := newHarness(t, setup{
			store:   sandbox.Config{Fail: failFirstWrite(sandbox.Failure{Work: sandbox.Never, Delivery: sandbox.Silent})},
			service: service.Config{SettleTime: settleTime, WriteMode: service.Replace},
		})
		began := time.Now()
		if first := h.update(t.Context(), 1, 1, "city"); first.state != "unknown" || first.took() != timeout {
			t.Errorf("the call got %s, %s after %v", first.Code, first.state, first.took())
		}
		if second := h.update(t.Context(), 2, 1, "notes"); second.state != "rejected" { // it lacks an e-mail and a name
			t.Errorf("the next call got %s, %s", second.Code, second.state)
		}
		h.finish(t)
		h.checkHistory(t)
		for _, next := range h.transport.requestsWhere(func(r sentRequest) bool { return r.call == 2 }) {
			if after := next.at.Sub(began); after != settleTime || next.method != http.MethodPut {
				t.Errorf("the next call sent a %s after %v, want a PUT after %v", next.method, after, settleTime)
			}
		}
	})
}
