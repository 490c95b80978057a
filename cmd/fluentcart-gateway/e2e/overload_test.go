package e2e

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/history"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// 10,000 callers come within two seconds: the store gets as many requests as it can serve and never more, and calls that
// cannot be served in time are rejected at once.
func TestTenThousandCallsDoNotOverrunTheStore(t *testing.T) {
	lasting := 10 * time.Second
	if soaking(t) {
		lasting = 30 * time.Second
	}
	const callers = 10_000
	best := directRate(t, callers, 5*time.Second)

	store, url := startStore(t, phpStore(callers, nil))
	gateway := startGateway(t, url, "--log-level=warn")
	start := time.Now()
	report := load{Gateway: gateway.grpcAddr, Clients: callers, PerConnection: 100, Spread: 2 * time.Second, Lasting: lasting}.send(t)
	goodput := rateUntil(start.Add(lasting), store.Writes())
	t.Logf("%v", report.Codes)
	t.Logf("goodput %.2f of the best of direct clients, at most %d in flight at the store, %d MiB at most",
		goodput/best, store.MaxInFlight(), gateway.peakMemory(t))
	t.Logf("%d rejections in %s while all come, %s later (p99), %d after a time in the queue",
		report.Rejections, report.BurstTime, report.LaterTime, report.Evictions)
	if goodput < 0.95*best {
		t.Errorf("goodput is %.2f of the best, want 0.95", goodput/best)
	}
	if store.MaxInFlight() > 4 {
		t.Errorf("%d in flight at the store, want at most 4", store.MaxInFlight())
	}
	// While all come, the clients and the gateway need more processors than a small machine has, and a rejection waits for one.
	if report.BurstTime > time.Second || report.LaterTime > 250*time.Millisecond {
		t.Errorf("rejections take %s while all come, %s later (p99), want 1 s and 250 ms", report.BurstTime, report.LaterTime)
	}
	if report.Rejections < callers/2 || report.Evictions > report.Rejections/20 {
		t.Errorf("%d rejections, %d after a time in the queue, want at least %d, and at most a twentieth of them",
			report.Rejections, report.Evictions, callers/2)
	}
	if memory := gateway.peakMemory(t); memory > 256 {
		t.Errorf("%d MiB of memory, want at most 256", memory)
	}
	for code := range report.Codes {
		if code != "OK" && code != "ResourceExhausted OVERLOADED" {
			t.Errorf("a caller got %s", code)
		}
	}
}

// 2,000 callers come back 200 ms after each rejection, with deadlines shorter than the queue: next to no call waits until its
// deadline, and the store gets as many requests as it can serve.
func TestCallersThatReturnAtOnceAreServedOrRejectedInTime(t *testing.T) {
	lasting := 10 * time.Second
	if soaking(t) {
		lasting = 30 * time.Second
	}
	const callers = 2000
	best := directRate(t, callers, 5*time.Second)

	store, url := startStore(t, phpStore(callers, nil))
	gateway := startGateway(t, url, "--log-level=warn")
	start := time.Now()
	report := load{
		Gateway: gateway.grpcAddr, Clients: callers, PerConnection: 100, Spread: time.Second, Lasting: lasting,
		Timeout: 3 * time.Second, Return: 200 * time.Millisecond,
	}.send(t)
	goodput := rateUntil(start.Add(lasting), store.Writes())
	t.Logf("%v, goodput %.3f of the best of direct clients", report.Codes, goodput/best)
	t.Logf("%d rejections in %s while all come, %s later (p99), %d after a time in the queue",
		report.Rejections, report.BurstTime, report.LaterTime, report.Evictions)
	if goodput < 0.9*best { // the rejections, of which there are a hundred to a write, need the processors too
		t.Errorf("goodput is %.3f of the best, want 0.9", goodput/best)
	}
	late, calls := 0, 0
	for code, count := range report.Codes {
		calls += count
		if code != "OK" && code != "ResourceExhausted OVERLOADED" {
			late += count
		}
	}
	if late > calls/100 {
		t.Errorf("%d of %d calls were neither served nor rejected in time, want at most a hundredth", late, calls)
	}
	if report.LaterTime > 250*time.Millisecond {
		t.Errorf("rejections take %s (p99), want 250 ms", report.LaterTime)
	}
}

// directRate is the number of updates per second that four clients reach without a gateway.
func directRate(t *testing.T, customers int, lasting time.Duration) float64 {
	t.Helper()
	store, url := startStore(t, phpStore(customers, nil))
	load{Store: url, Clients: 4, Lasting: lasting}.send(t)
	writes := store.Writes()
	return float64(len(writes)) / writes[len(writes)-1].Applied.Sub(writes[0].Received).Seconds()
}

// rateUntil is the number of writes per second from the first one until the callers stop coming.
func rateUntil(end time.Time, writes []sandbox.Write) float64 {
	var applied float64
	for _, write := range writes {
		if write.Applied.Before(end) {
			applied++
		}
	}
	return applied / end.Sub(writes[0].Received).Seconds()
}

// One connection may carry more calls than it has streams, and the gateway closes everything that it opened for them.
func TestManyCallsOnOneConnectionDoNotStall(t *testing.T) {
	soaking(t)
	const calls = 2048
	store, url := startStore(t, sandbox.Config{Latency: time.Millisecond, Customers: calls})
	gateway := startGateway(t, url, "--max-queue=4096", "--max-in-flight=16")
	s := newStorm(store)
	warmUp(t, s, []*process{gateway}, 1001, 10*time.Second)
	before := gateway.descriptors(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var all sync.WaitGroup
	for _, customer := range ids(calls) {
		all.Go(func() {
			if call := s.update(ctx, gateway.customers, customer); call.Outcome != history.Written {
				t.Errorf("customer %d: %s", customer, call)
			}
		})
	}
	all.Wait()
	s.judge(t, store)
	if !waitFor(t, 15*time.Second, func() bool { return gateway.descriptors(t) <= before }) {
		t.Errorf("%d descriptors are open, want at most the %d before the calls", gateway.descriptors(t), before)
	}
}
