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
	soaking(t)
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

// writtenIf is the outcome that a call must report.
func writtenIf(written bool) history.Outcome {
	if written {
		return history.Written
	}
	return history.NotWritten
}

// The outcome of an update whose answer is lost, before its work or after it, takes one request more, and is known 99 times in a
// hundred in the time of two: twice the median of a plain update, and 15 ms for the processors. A busy machine lets some pairs of
// plain updates, which are made in turn with the others, exceed that bound too; for each pair two more outcomes may be late.
func TestOutcomeOfALostAnswerIsKnownInTheTimeOfTwoRequests(t *testing.T) {
	updates := 100
	if soaking(t) {
		updates = 1000
	}
	for name, lost := range map[string]*sandbox.Failure{
		"reset before the work":      {Work: sandbox.Never, Delivery: sandbox.Reset},
		"reset after the work":       {Delivery: sandbox.Reset},
		"a page before the work":     {Work: sandbox.Never, Instead: sandbox.BadGateway()},
		"half an answer to the work": {Delivery: sandbox.Truncated},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newLosingStore(t, lost)
			promise(t, "outcomes that are late, in a hundred, beyond those of the machine", func(late float64) bool { return late <= 1 }, func() float64 {
				var plain, pairs, lost []time.Duration
				for range updates {
					first, second := p.update(t, false), p.update(t, false)
					plain, pairs = append(plain, first, second), append(pairs, first+second)
					lost = append(lost, p.update(t, true))
				}
				bound := 2*percentile(plain, 50) + 15*time.Millisecond
				late, latePairs := countAbove(lost, bound), countAbove(pairs, bound)
				t.Logf("of %d, %d were late (half take %s; bound %s), and %d pairs of plain updates", updates, late, percentile(lost, 50), bound, latePairs)
				return 100 * float64(max(late-2*latePairs, 0)) / float64(updates)
			})
		})
	}
}

func countAbove(durations []time.Duration, bound time.Duration) (count int) {
	for _, d := range durations {
		if d > bound {
			count++
		}
	}
	return count
}

// losingStore is a store that loses the answers to some updates, and its gateway.
type losingStore struct {
	*sandbox.Store

	gateway  *process
	losing   atomic.Bool
	requests atomic.Int64
	calls    int
}

func newLosingStore(t *testing.T, lost *sandbox.Failure) *losingStore {
	t.Helper()
	p := &losingStore{}
	var url string
	p.Store, url = startStore(t, atomicStore(1, func(r *http.Request) *sandbox.Failure {
		p.requests.Add(1)
		if !p.losing.Load() || r.Method != http.MethodPost {
			return nil
		}
		return lost
	}))
	p.gateway = startGateway(t, url, "--write-mode=atomic", "--log-level=warn")
	return p
}

// update makes an update, whose answer may be lost, and returns how long it took.
func (p *losingStore) update(t *testing.T, lost bool) time.Duration {
	t.Helper()
	p.losing.Store(lost)
	p.calls++
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	notes := fmt.Sprint("call ", p.calls)
	written, sent := len(p.Writes()), p.requests.Load()
	begin := time.Now()
	_, err := p.gateway.customers.UpdateCustomer(ctx, &customerv1.UpdateCustomerRequest{CustomerId: 1001, Customer: &customerv1.Customer{Notes: &notes}})
	took := time.Since(begin)
	if outcome, code := outcomeOf(err); outcome != writtenIf(len(p.Writes()) > written) {
		t.Errorf("call %d: %s is not the outcome", p.calls, code)
	}
	if got := p.requests.Load() - sent; lost && got != 2 || !lost && got != 1 {
		t.Errorf("call %d, whose answer may be lost (%v), took %d requests", p.calls, lost, got)
	}
	return took
}
