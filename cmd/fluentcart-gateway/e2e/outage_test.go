package e2e

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/history"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// While the store is down, it gets one probe per second and callers get an error at once. Soon after its return calls
// succeed.
func TestBreakerProtectsAStoreThatIsDown(t *testing.T) {
	lasting := 6 * time.Second
	if soaking(t) {
		lasting = 20 * time.Second
	}
	var down atomic.Bool
	var reached atomic.Int64
	store, url := startStore(t, phpStore(200, func(*http.Request) *sandbox.Failure {
		if !down.Load() {
			return nil
		}
		reached.Add(1)
		return &sandbox.Failure{Work: sandbox.Never, Instead: sandbox.BadGateway()}
	}))
	gateway := startGateway(t, url)
	s := newStorm(store)
	warmUp(t, s, []*process{gateway}, 1001, 10*time.Second)

	down.Store(true)
	ctx, cancel := context.WithTimeout(t.Context(), lasting)
	defer cancel()
	open := make(chan struct{}) // closed after the first errors, when the breaker is open
	var mu sync.Mutex
	var refusals []time.Duration
	var all sync.WaitGroup
	var refused atomic.Int64
	for i := range 20 {
		all.Go(func() {
			for ctx.Err() == nil {
				begin := time.Now()
				call := s.update(context.WithoutCancel(ctx), gateway.customers, 1001+int64(i))
				if call.Outcome != history.NotWritten || call.Code != "Unavailable STORE_UNAVAILABLE" {
					t.Errorf("while the store is down: %s", call)
				}
				select {
				case <-open:
					mu.Lock()
					refusals = append(refusals, time.Since(begin))
					mu.Unlock()
				default:
					if refused.Add(1) == 100 {
						reached.Store(0)
						close(open)
					}
				}
				<-time.After(20 * time.Millisecond)
			}
		})
	}
	all.Wait()
	probes := reached.Load()
	t.Logf("%d callers refused in %s (p99) while the store was down for %s, %d probes", len(refusals), percentile(refusals, 99), lasting, probes)
	if limit := int64(lasting/time.Second) + 1; probes > limit || probes == 0 {
		t.Errorf("%d probes in %s, want at most one a second", probes, lasting)
	}
	if p99 := percentile(refusals, 99); p99 > 10*time.Millisecond {
		t.Errorf("callers are refused in %s (p99), want 10 ms", p99)
	}

	down.Store(false)
	back := time.Now()
	var good, bad atomic.Int64
	for i := range 20 {
		all.Go(func() {
			for time.Since(back) < 3*time.Second {
				begun := time.Since(back)
				call := s.update(t.Context(), gateway.customers, 1001+int64(i))
				switch {
				case begun < 1500*time.Millisecond: // the breaker may still be open
				case call.Outcome == history.Written:
					good.Add(1)
				default:
					bad.Add(1)
				}
				<-time.After(20 * time.Millisecond)
			}
		})
	}
	all.Wait()
	t.Logf("1.5 to 3 s after its return %d calls succeed and %d do not", good.Load(), bad.Load())
	if good.Load() == 0 || good.Load() < 19*bad.Load() {
		t.Errorf("%d of %d calls succeed, want 95 %%", good.Load(), good.Load()+bad.Load())
	}
	s.judge(t, store)
}

// Retries do not double the load of a store that fails.
func TestRetriesAreFew(t *testing.T) {
	soaking(t)
	var reads atomic.Int64
	store, url := startStore(t, sandbox.Config{Latency: 2 * time.Millisecond, Customers: 200, Fail: func(r *http.Request) *sandbox.Failure {
		if r.Method != http.MethodGet {
			return nil
		}
		if reads.Add(1)%10 < 3 { // not random: eight failures in a row, which chance would produce, open the breaker
			return &sandbox.Failure{Work: sandbox.Never, Instead: sandbox.BadGateway()}
		}
		return nil
	}})
	gateway := startGateway(t, url)
	s := newStorm(store)
	start := time.Now()
	s.run(t.Context(), 10, ids(200), func() *process { return gateway }, 5*time.Second)
	calls := len(s.history())
	limit := 1.2*float64(calls) + time.Since(start).Seconds()
	t.Logf("%d calls made %d reads", calls, reads.Load())
	if float64(reads.Load()) > limit || int(reads.Load()) < calls*11/10 {
		t.Errorf("%d reads for %d calls, want at most %.0f, and some retries", reads.Load(), calls, limit)
	}
	s.judge(t, store)
}
