package service_test

import (
	"bytes"
	"encoding/json"
	"fmt"
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

// slowWrites makes writes take that much longer.
func slowWrites(by time.Duration) func(*http.Request) *sandbox.Failure {
	return func(r *http.Request) *sandbox.Failure {
		if r.Method == http.MethodPut {
			return &sandbox.Failure{Delay: by}
		}
		return nil
	}
}

// Who leaves before the first byte of the write is told that nothing was sent, and so it is.
func TestWhoLeavesBeforeTheWriteWritesNothing(t *testing.T) {
	const slow = 500 * time.Millisecond
	for moment, row := range map[string]struct {
		begins, leaves time.Duration // leaves is counted from its beginning
		blocked        int64         // the customer that another caller is busy with; 0 is none
		connecting     time.Duration
		requests       int // that were sent for it
	}{
		"before it is asked":        {0, 0, 0, 0, 0},
		"waiting for the customer":  {40 * time.Millisecond, 200 * time.Millisecond, 1, 0, 0},
		"waiting for a slot":        {40 * time.Millisecond, 200 * time.Millisecond, firstAddedCustomer, 0, 0},
		"during the read":           {0, latency / 2, 0, 0, 1},
		"while the write connects":  {0, latency + 10*time.Millisecond, 0, 100 * time.Millisecond, 1},
		"right before it has begun": {0, latency + 100*time.Millisecond - 1, 0, 100 * time.Millisecond, 1},
	} {
		for way, code := range map[string]codes.Code{"cancels": codes.Canceled, "deadline": codes.DeadlineExceeded} {
			t.Run(moment+", "+way, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					h := newHarness(t, setup{
						store:       sandbox.Config{Customers: 1, Fail: slowWrites(slow)},
						service:     service.Config{MaxInFlight: 1},
						connectTime: row.connecting,
					})
					var callers sync.WaitGroup
					if row.blocked > 0 {
						callers.Go(func() { h.update(t.Context(), 1, row.blocked, "city") })
					}
					callers.Go(func() {
						advance(row.begins)
						left := h.update(contextEnding(t, way == "cancels", row.leaves), 2, 1, "notes")
						if left.code != code || left.state != "not_sent" || left.took() != row.leaves {
							t.Errorf("was told %s, %s after %v, want %s after %v", left.Code, left.state, left.took(), code, row.leaves)
						}
					})
					callers.Wait()
					if again := h.update(t.Context(), 3, 1, "state"); again.Outcome != history.Written || again.took() > 2*latency+slow+2*row.connecting {
						t.Errorf("the next call was told %s after %v", again.Code, again.took())
					}
					h.finish(t)
					h.checkHistory(t)
					requests := h.transport.requestsWhere(func(r sentRequest) bool { return r.call == 2 })
					if len(requests) != row.requests {
						t.Errorf("%d requests were sent for it, want %d", len(requests), row.requests)
					}
					for _, r := range requests {
						if r.method != http.MethodGet {
							t.Errorf("a %s was sent", r.method)
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

// A write whose caller has left runs to its end, is told to the log, and keeps its customer for no longer.
func TestWhoLeavesDuringTheWriteDoesNotStopIt(t *testing.T) {
	const slow = 500 * time.Millisecond
	for way, code := range map[string]codes.Code{"cancels": codes.Unknown, "deadline": codes.DeadlineExceeded} {
		t.Run(way, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const leaves = 133 * time.Millisecond
				h := newHarness(t, setup{store: sandbox.Config{Fail: slowWrites(slow)}})
				began := time.Now()
				var callers sync.WaitGroup
				callers.Go(func() {
					left := h.update(contextEnding(t, way == "cancels", leaves), 1, 1, "city")
					if left.code != code || left.reason != "WRITE_OUTCOME_UNKNOWN" || left.state != "unknown" || left.took() != leaves {
						t.Errorf("was told %s, %s, %s after %v", left.Code, left.reason, left.state, left.took())
					}
				})
				callers.Go(func() {
					advance(leaves + time.Millisecond)
					if next := h.update(t.Context(), 2, 1, "notes"); next.After["city"] != "c1" {
						t.Errorf("the next caller was told %q, city %q", next.Code, next.After["city"])
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
					t.Errorf("the next caller's turn was not after %v: %+v", ends, next)
				}
				want := []logLine{{Level: "WARN", Customer: 1, State: "written"}}
				if diff := cmp.Diff(want, linesOf(t, &h.log), withoutMessage); diff != "" {
					t.Errorf("log (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// Who leaves in the very moment in which something else happens is told one thing or the other, and it is true.
func TestWhoLeavesInTheSameMomentIsToldTheTruth(t *testing.T) {
	const connecting, callers = 10 * time.Millisecond, 100
	for moment, at := range map[string]time.Duration{
		"the read begins":       0,
		"the read ends":         latency,
		"the write begins":      latency + connecting,
		"the write is answered": 2*latency + connecting,
	} {
		for _, cancels := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, cancels %v", moment, cancels), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					h := newHarness(t, setup{
						store:       sandbox.Config{Customers: callers},
						service:     service.Config{MaxInFlight: callers},
						connectTime: connecting,
					})
					outcomes := make([]history.Outcome, callers)
					var all sync.WaitGroup
					for i := range callers {
						all.Go(func() {
							c := h.update(contextEnding(t, cancels, at), i, firstAddedCustomer+int64(i), "city")
							outcomes[i] = c.Outcome
						})
					}
					all.Wait()
					h.finish(t)
					h.checkHistory(t)
					written := len(h.store.Writes())
					for i, outcome := range outcomes {
						if writes := h.writesOf(firstAddedCustomer + int64(i)); outcome == history.Unknown && len(writes) != 1 {
							t.Errorf("call %d was told that it was sent, and %d writes came of it", i, len(writes))
						}
					}
					t.Logf("%d of %d were written", written, callers)
				})
			})
		}
	}
}

// logLine is what matters of a line of the service's log.
type logLine struct {
	Level    string `json:"level"`
	Message  string `json:"msg"`
	Customer int64  `json:"customer_id"`
	State    string `json:"write_state"`
}

var withoutMessage = cmp.FilterPath(func(p cmp.Path) bool { return p.String() == "Message" }, cmp.Ignore())

func linesOf(t testing.TB, log *bytes.Buffer) []logLine {
	t.Helper()
	var lines []logLine
	for text := range bytes.Lines(log.Bytes()) {
		var line logLine
		if err := json.Unmarshal(text, &line); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		lines = append(lines, line)
	}
	return lines
}
