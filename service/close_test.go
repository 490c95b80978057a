package service_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"

	"github.com/fluentcart-gateway/fluentcart-gateway/service"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// counting counts what is done with the leases that it hands out.
type counting struct {
	lease.Locker
	quarantined, released atomic.Int32
}

func (c *counting) Acquire(ctx context.Context, customer int64) (lease.Lease, error) {
	held, err := c.Locker.Acquire(ctx, customer)
	if err != nil {
		return nil, err
	}
	return &countingLease{Lease: held, counts: c}, nil
}

type countingLease struct {
	lease.Lease
	counts *counting
}

func (l *countingLease) Quarantine(landing time.Duration) {
	l.counts.quarantined.Add(1)
	l.Lease.Quarantine(landing)
}

func (l *countingLease) Release() {
	l.counts.released.Add(1)
	l.Lease.Release()
}

func TestCloseWaitsForWritesUnderWay(t *testing.T) {
	const slow = 500 * time.Millisecond
	const landed = 4 * time.Second
	const cancelled = 100 * time.Millisecond
	for name, row := range map[string]struct {
		failure     sandbox.Failure
		least, most time.Duration // after which Close returns, counted from the first call
	}{
		"one that the store answers": {sandbox.Failure{Delay: slow}, latency + slow + latency, latency + slow + latency},
		"one that lands late": {
			sandbox.Failure{Work: sandbox.Late, LateBy: landed - latency, Delivery: sandbox.Silent},
			latency + landed, latency + landed + time.Second + latency,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				leases := &counting{Locker: lease.NewLocal()}
				h := newHarness(t, setup{store: sandbox.Config{Fail: firstWrite(row.failure)}, service: service.Config{Leases: leases}})
				began := time.Now()
				h.update(contextEnding(t, byCancel, cancelled), 1, 1, "city")
				if took := time.Since(began); took != cancelled {
					t.Errorf("the caller left after %v", took)
				}
				h.service.Close(t.Context())
				if took := time.Since(began); took < row.least || took > row.most {
					t.Errorf("closed after %v, want %v to %v", took, row.least, row.most)
				}
				if len(h.writesOf(1)) != 1 || leases.released.Load() != 1 {
					t.Errorf("%d writes, %d leases released", len(h.writesOf(1)), leases.released.Load())
				}
				want := []logLine{{Level: "WARN", Customer: 1, State: "written"}}
				if diff := cmp.Diff(want, linesOf(t, &h.log), withoutMessage); diff != "" {
					t.Errorf("log (-want +got):\n%s", diff)
				}
				h.finish(t)
				h.checkHistory(t)
			})
		})
	}
}

// At the end of its time Close gives up what may still land. The lease stays, for other gateways, and the log tells
// whom it is about.
func TestCloseGivesUpInTime(t *testing.T) {
	lost := sandbox.Failure{Work: sandbox.Never, Delivery: sandbox.Silent}
	for name, row := range map[string]struct {
		patience, closes, gives time.Duration // how long the caller waits, when Close comes, and its time
		code                    codes.Code
	}{
		"during the write":                       {time.Minute, 200 * time.Millisecond, 300 * time.Millisecond, codes.Unknown},
		"while it is looked for":                 {time.Minute, 2 * time.Second, 5 * time.Second, codes.Unknown},
		"at once":                                {time.Minute, 200 * time.Millisecond, 0, codes.Unknown},
		"during the write, without its caller":   {100 * time.Millisecond, 200 * time.Millisecond, 300 * time.Millisecond, codes.DeadlineExceeded},
		"while it is looked for, by nobody else": {100 * time.Millisecond, 2 * time.Second, 5 * time.Second, codes.DeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				leases := &counting{Locker: lease.NewLocal()}
				h := newHarness(t, setup{store: sandbox.Config{Fail: firstWrite(lost)}, service: service.Config{Leases: leases}})
				began := time.Now()
				var callers sync.WaitGroup
				callers.Go(func() {
					c := h.update(contextEnding(t, byDeadline, row.patience), 1, 1, "city")
					if want := min(row.patience, row.closes+row.gives); c.code != row.code || c.state != "unknown" || c.took() != want {
						t.Errorf("the caller was told %s, %s after %v, want %s after %v", c.Code, c.state, c.took(), row.code, want)
					}
				})
				advance(row.closes)
				synctest.Wait() // the call has come before Close
				h.service.Close(contextEnding(t, byDeadline, row.gives))
				if took := time.Since(began); took != row.closes+row.gives {
					t.Errorf("closed after %v, want %v", took, row.closes+row.gives)
				}
				callers.Wait()
				h.store.Wait()
				h.checkHistory(t)
				if leases.quarantined.Load() != 1 || leases.released.Load() != 0 {
					t.Errorf("%d leases were quarantined and %d released, want 1 and none", leases.quarantined.Load(), leases.released.Load())
				}
				lines := linesOf(t, &h.log)
				if len(lines) == 0 {
					t.Fatal("nothing in the log")
				}
				last := lines[len(lines)-1]
				if last.Customer != 1 || !strings.Contains(last.Message, "may still be applied") {
					t.Errorf("log: %s", h.log.String())
				}
				if isTold := row.patience < row.closes; isTold != (len(lines) == 2) {
					t.Errorf("%d lines: %s", len(lines), h.log.String())
				}
			})
		})
	}
}
