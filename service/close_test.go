package service_test

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"

	"github.com/fluentcart-gateway/fluentcart-gateway/service"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

func TestCloseWaitsForInFlightWrites(t *testing.T) {
	const slow = 500 * time.Millisecond
	const applied = 4 * time.Second
	const patience = 100 * time.Millisecond
	for name, row := range map[string]struct {
		failure     sandbox.Failure
		least, most time.Duration // after which Close returns, counted from the first call
	}{
		"the store responds to the write": {sandbox.Failure{Delay: slow}, latency + slow + latency, latency + slow + latency},
		"the store applies the write late and does not respond": {
			sandbox.Failure{Work: sandbox.Late, LateBy: applied - latency, Delivery: sandbox.Silent},
			latency + applied, latency + applied + time.Second + latency,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				leases := &countingLocker{Locker: lease.NewLocal(lease.Limits{})}
				h := newHarness(t, setup{store: sandbox.Config{Fail: failFirstWrite(row.failure)}, service: service.Config{Leases: leases}})
				began := time.Now()
				h.update(contextEnding(t, byCancel, patience), 1, 1, "city")
				if took := time.Since(began); took != patience {
					t.Errorf("the cancelled call ended after %v, want %v", took, patience)
				}
				h.service.Close(t.Context())
				if took := time.Since(began); took < row.least || took > row.most {
					t.Errorf("Close returned after %v, want %v to %v", took, row.least, row.most)
				}
				if len(h.writesOf(1)) != 1 || leases.released.Load() != 1 {
					t.Errorf("%d writes, %d leases released, want 1 and 1", len(h.writesOf(1)), leases.released.Load())
				}
				want := []logLine{{Level: "WARN", Customer: 1, State: "written"}}
				if diff := cmp.Diff(want, logLines(t, &h.log), ignoreMessage); diff != "" {
					t.Errorf("log (-want +got):\n%s", diff)
				}
				h.finish(t)
				h.checkHistory(t)
			})
		})
	}
}

// When its context ends, Close gives up the writes in doubt. Their leases are not released, so that other gateways respect
// the quarantine, and the log names their customers.
func TestCloseGivesUpWritesInDoubtWhenItsContextEnds(t *testing.T) {
	lost := sandbox.Failure{Work: sandbox.Never, Delivery: sandbox.Silent}
	for name, row := range map[string]struct {
		patience, closes, grace time.Duration // how long the caller waits, when Close is called, and how long it may take
		code                    codes.Code
	}{
		"Close ends during the write":                                    {time.Minute, 200 * time.Millisecond, 300 * time.Millisecond, codes.Unknown},
		"Close ends while the write is verified":                         {time.Minute, 2 * time.Second, 5 * time.Second, codes.Unknown},
		"Close may not wait":                                             {time.Minute, 200 * time.Millisecond, 0, codes.Unknown},
		"Close ends during the write, and the caller is gone":            {100 * time.Millisecond, 200 * time.Millisecond, 300 * time.Millisecond, codes.DeadlineExceeded},
		"Close ends while the write is verified, and the caller is gone": {100 * time.Millisecond, 2 * time.Second, 5 * time.Second, codes.DeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				leases := &countingLocker{Locker: lease.NewLocal(lease.Limits{})}
				h := newHarness(t, setup{store: sandbox.Config{Fail: failFirstWrite(lost)}, service: service.Config{Leases: leases}})
				began := time.Now()
				var callers sync.WaitGroup
				callers.Go(func() {
					c := h.update(contextEnding(t, byDeadline, row.patience), 1, 1, "city")
					if want := min(row.patience, row.closes+row.grace); c.code != row.code || c.state != "unknown" || c.took() != want {
						t.Errorf("the call got %s, %s after %v, want %s after %v", c.Code, c.state, c.took(), row.code, want)
					}
				})
				advance(row.closes)
				synctest.Wait() // the call has started before Close is called
				h.service.Close(contextEnding(t, byDeadline, row.grace))
				if took := time.Since(began); took != row.closes+row.grace {
					t.Errorf("Close returned after %v, want %v", took, row.closes+row.grace)
				}
				callers.Wait()
				h.store.Wait()
				h.checkHistory(t)
				if leases.quarantined.Load() != 1 || leases.released.Load() != 0 {
					t.Errorf("%d leases were put in quarantine and %d released, want 1 and 0", leases.quarantined.Load(), leases.released.Load())
				}
				lines := logLines(t, &h.log)
				if len(lines) == 0 {
					t.Fatal("the log has no lines")
				}
				last := lines[len(lines)-1]
				if last.Customer != 1 || !strings.Contains(last.Message, "may still be applied") {
					t.Errorf("log: %s", h.log.String())
				}
				if isGone := row.patience < row.closes; isGone != (len(lines) == 2) {
					t.Errorf("the log has %d lines: %s", len(lines), h.log.String())
				}
			})
		})
	}
}
