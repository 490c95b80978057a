package service_test

import (
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"

	"github.com/fluentcart-gateway/fluentcart-gateway/service"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/history"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// The ways in which a call ends early, as the first words of subtest names.
const (
	callerCancels  = "the caller cancels"
	deadlinePasses = "the deadline passes"
)

// A call that ends before the first byte of the write is sent gets write_state not_sent, and no write is sent for it.
func TestCallThatEndsBeforeTheWriteWritesNothing(t *testing.T) {
	const slow = 500 * time.Millisecond
	for moment, row := range map[string]struct {
		begins, ends time.Duration // ends is counted from begins
		blocked      int64         // the customer that another call updates meanwhile; 0 is none
		connectTime  time.Duration
		requests     int // how many are sent for the call
	}{
		"before the call starts":                   {0, 0, 0, 0, 0},
		"while it waits for the lease":             {40 * time.Millisecond, 200 * time.Millisecond, 1, 0, 0},
		"while it waits for a slot":                {40 * time.Millisecond, 200 * time.Millisecond, firstAddedCustomer, 0, 0},
		"during the read":                          {0, latency / 2, 0, 0, 1},
		"while the write connects":                 {0, latency + 10*time.Millisecond, 0, 100 * time.Millisecond, 1},
		"right before the first byte of the write": {0, latency + 100*time.Millisecond - 1, 0, 100 * time.Millisecond, 1},
	} {
		for way, code := range map[string]codes.Code{callerCancels: codes.Canceled, deadlinePasses: codes.DeadlineExceeded} {
			t.Run(way+" "+moment, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					h := newHarness(t, setup{
						store:       sandbox.Config{Customers: 1, Fail: delayWrites(slow)},
						service:     service.Config{MaxInFlight: 1},
						connectTime: row.connectTime,
					})
					var callers sync.WaitGroup
					if row.blocked > 0 {
						callers.Go(func() { h.update(t.Context(), 1, row.blocked, "city") })
					}
					callers.Go(func() {
						advance(row.begins)
						ended := h.update(contextEnding(t, way == callerCancels, row.ends), 2, 1, "notes")
						if ended.code != code || ended.state != "not_sent" || ended.took() != row.ends {
							t.Errorf("the call got %s, %s after %v, want %s, not_sent after %v", ended.Code, ended.state, ended.took(), code, row.ends)
						}
					})
					callers.Wait()
					if again := h.update(t.Context(), 3, 1, "state"); again.Outcome != history.Written || again.took() > 2*latency+slow+2*row.connectTime {
						t.Errorf("the next call got %s after %v", again.Code, again.took())
					}
					h.finish(t)
					h.checkHistory(t)
					requests := h.transport.requestsWhere(func(r sentRequest) bool { return r.call == 2 })
					if len(requests) != row.requests {
						t.Errorf("%d requests were sent for the call, want %d", len(requests), row.requests)
					}
					for _, r := range requests {
						if r.method != http.MethodGet {
							t.Errorf("a %s was sent, want only reads", r.method)
						}
					}
					if h.log.Len() > 0 {
						t.Errorf("log: %s", h.log.String())
					}
				})
			})
		}
	}
}

// A write whose caller is gone runs to its outcome, which is logged. The lease is released when the write has its outcome.
func TestCallThatEndsDuringTheWriteDoesNotStopTheWrite(t *testing.T) {
	const slow = 500 * time.Millisecond
	for way, code := range map[string]codes.Code{callerCancels: codes.Unknown, deadlinePasses: codes.DeadlineExceeded} {
		t.Run(way, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const patience = 133 * time.Millisecond
				h := newHarness(t, setup{store: sandbox.Config{Fail: delayWrites(slow)}})
				began := time.Now()
				var callers sync.WaitGroup
				callers.Go(func() {
					ended := h.update(contextEnding(t, way == callerCancels, patience), 1, 1, "city")
					if ended.code != code || ended.reason != "WRITE_OUTCOME_UNKNOWN" || ended.state != "unknown" || ended.took() != patience {
						t.Errorf("the call got %s, %s, %s after %v, want %s, WRITE_OUTCOME_UNKNOWN, unknown after %v",
							ended.Code, ended.reason, ended.state, ended.took(), code, patience)
					}
				})
				callers.Go(func() {
					advance(patience + time.Millisecond)
					if next := h.update(t.Context(), 2, 1, "notes"); next.After["city"] != "c1" {
						t.Errorf("the next call got %q, city %q, want city \"c1\"", next.Code, next.After["city"])
					}
				})
				callers.Wait()
				h.finish(t)
				h.checkHistory(t)

				const ends = latency + slow + latency
				if writes := h.writesOf(1); len(writes) != 2 || writes[0].Applied.Sub(began) != ends {
					t.Errorf("writes %+v, want the first after %v", writes, ends)
				}
				if next := h.transport.requestsWhere(func(r sentRequest) bool { return r.call == 2 }); len(next) == 0 || next[0].at.Sub(began) != ends {
					t.Errorf("the next call did not get the lease after %v: %+v", ends, next)
				}
				want := []logLine{{Level: "WARN", Customer: 1, State: "written"}}
				if diff := cmp.Diff(want, logLines(t, &h.log), ignoreMessage); diff != "" {
					t.Errorf("log (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// A call may end at the same moment as a step of the update. Either may be first; the result must match what was written.
func TestCallThatEndsAtTheSameMomentAsAStepGetsATrueResult(t *testing.T) {
	const connectTime, callers = 10 * time.Millisecond, 100
	for moment, at := range map[string]time.Duration{
		"when the read begins":                 0,
		"when the read ends":                   latency,
		"when the write begins":                latency + connectTime,
		"when the store responds to the write": 2*latency + connectTime,
	} {
		for _, way := range []string{callerCancels, deadlinePasses} {
			t.Run(way+" "+moment, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					h := newHarness(t, setup{
						store:       sandbox.Config{Customers: callers},
						service:     service.Config{MaxInFlight: callers},
						connectTime: connectTime,
					})
					outcomes := make([]history.Outcome, callers)
					var all sync.WaitGroup
					for i := range callers {
						all.Go(func() {
							c := h.update(contextEnding(t, way == callerCancels, at), i, firstAddedCustomer+int64(i), "city")
							outcomes[i] = c.Outcome
						})
					}
					all.Wait()
					h.finish(t)
					h.checkHistory(t)
					written := len(h.store.Writes())
					for i, outcome := range outcomes {
						if writes := h.writesOf(firstAddedCustomer + int64(i)); outcome == history.Unknown && len(writes) != 1 {
							t.Errorf("call %d got an unknown outcome, and the store applied %d writes, want 1", i, len(writes))
						}
					}
					t.Logf("%d of %d calls were written", written, callers)
				})
			})
		}
	}
}
