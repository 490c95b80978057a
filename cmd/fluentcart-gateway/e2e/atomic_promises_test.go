package e2e

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/history"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// measurements is how often a ratio is measured until it is as promised: another process may use the processors for a moment.
const measurements = 3

// atomicStore is phpStore with the companion.
func atomicStore(customers int, fail func(*http.Request) *sandbox.Failure) sandbox.Config {
	cfg := phpStore(customers, fail)
	cfg.Companion = true
	return cfg
}

// promise measures until the value is as promised.
func promise(t *testing.T, what string, kept func(measured float64) bool, measure func() float64) {
	t.Helper()
	for i := range measurements {
		measured := measure()
		t.Logf("%s: %.3f", what, measured)
		switch {
		case kept(measured):
			return
		case i == measurements-1:
			t.Errorf("%s: %.3f is not as promised", what, measured)
		}
	}
}

// At saturation, a store takes at least 1.9 times as many atomic updates as updates by read, merge and write.
func TestAtomicUpdatesNearlyDoubleTheGoodput(t *testing.T) {
	lasting := 5 * time.Second
	if soaking(t) {
		lasting = 20 * time.Second
	}
	const customers = 500
	goodput := func(mode string) float64 {
		store, url := startStore(t, atomicStore(customers, nil))
		gateway := startGateway(t, url, "--write-mode="+mode, "--log-level=warn")
		defer gateway.stop()
		begin := time.Now()
		report := load{Gateway: gateway.grpcAddr, Clients: 16, PerConnection: 2, Rate: 250, Customers: customers, Lasting: lasting}.send(t)
		rate := rateUntil(begin.Add(lasting), store.Writes())
		t.Logf("%s: %.1f updates a second; %v", mode, rate, report.Codes)
		return rate
	}
	promise(t, "goodput of atomic to that of merge", func(ratio float64) bool { return ratio >= 1.9 }, func() float64 {
		return goodput("atomic") / goodput("merge")
	})
}

// 50 updates of one customer at once take at most 0.6 times as long as by read, merge and write.
func TestAtomicUpdatesOfOneCustomerTakeLessTime(t *testing.T) {
	_ = soaking(t)
	const callers = 50
	took := func(mode string) float64 {
		store, url := startStore(t, atomicStore(1, nil))
		gateway := startGateway(t, url, "--write-mode="+mode)
		defer gateway.stop()
		s := newStorm(store)
		warmUp(t, s, []*process{gateway}, 1001, 15*time.Second)
		var all sync.WaitGroup
		begin := time.Now()
		for range callers {
			all.Go(func() {
				if call := s.update(t.Context(), gateway.customers, 1001); call.Code != "OK" {
					t.Error(call)
				}
			})
		}
		all.Wait()
		seconds := time.Since(begin).Seconds()
		s.judge(t, store)
		return seconds
	}
	promise(t, "time of atomic to that of merge", func(ratio float64) bool { return ratio <= 0.6 }, func() float64 {
		return took("atomic") / took("merge")
	})
}

// knownWithin bounds the time from the request of an update to its outcome, if the answer to the request is lost: the time of two
// requests, of an update whose answer is not lost, and an allowance for the processor.
func knownWithin(request time.Duration) time.Duration { return 2*request + 15*time.Millisecond }

// writtenIf is the outcome that a call must report.
func writtenIf(written bool) history.Outcome {
	if written {
		return history.Written
	}
	return history.NotWritten
}

// The outcome of an update whose answer is lost, before its work or after it, is known 99 times in a hundred in the time of two
// requests.
func TestOutcomeOfALostAnswerIsKnownInTheTimeOfTwoRequests(t *testing.T) {
	updates := 200
	if soaking(t) {
		updates = 1000
	}
	for name, lost := range map[string]*sandbox.Failure{
		"reset before the work":   {Work: sandbox.Never, Delivery: sandbox.Reset},
		"reset after the work":    {Delivery: sandbox.Reset},
		"cut off after the work":  {Delivery: sandbox.Truncated},
		"a page before the work":  {Work: sandbox.Never, Instead: sandbox.BadGateway()},
		"a page after the work":   {Instead: sandbox.BadGateway()},
		"a fatal error afterward": {Instead: sandbox.FatalError()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var losing atomic.Bool
			store, url := startStore(t, atomicStore(1, func(r *http.Request) *sandbox.Failure {
				if !losing.Load() || r.Method != http.MethodPost {
					return nil
				}
				return lost
			}))
			gateway := startGateway(t, url, "--write-mode=atomic", "--log-level=warn")
			calls := 0
			measure := func(updates int) (took []time.Duration) {
				for range updates {
					calls++
					ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
					notes := fmt.Sprint("call ", calls)
					before, begin := len(store.Writes()), time.Now()
					_, err := gateway.customers.UpdateCustomer(ctx, &customerv1.UpdateCustomerRequest{CustomerId: 1001, Customer: &customerv1.Customer{Notes: &notes}})
					took = append(took, time.Since(begin))
					cancel()
					if outcome, code := outcomeOf(err); outcome != writtenIf(len(store.Writes()) > before) {
						t.Errorf("call %d: %s is not the outcome", calls, code)
					}
				}
				return took
			}
			promise(t, "99th percentile to the bound", func(ratio float64) bool { return ratio <= 1 }, func() float64 {
				losing.Store(false)
				request := percentile(measure(updates/10), 50)
				losing.Store(true)
				known := percentile(measure(updates), 99)
				t.Logf("one request takes %s, the outcome of a lost answer is known in %s (p99)", request, known)
				return known.Seconds() / knownWithin(request).Seconds()
			})
		})
	}
}
