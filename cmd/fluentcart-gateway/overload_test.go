package main

import (
	"context"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/history"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// phpStore is a store as it was measured (F24): four workers, 33 ms a call.
func phpStore(customers int, fail func(*http.Request) *sandbox.Failure) sandbox.Config {
	return sandbox.Config{Workers: 4, Latency: 33 * time.Millisecond, Customers: customers, Fail: fail}
}

// connect opens more connections to a gateway.
func connect(t *testing.T, p *process, n int) []customerv1.CustomerServiceClient {
	t.Helper()
	clients := make([]customerv1.CustomerServiceClient, n)
	for i := range clients {
		conn, err := grpc.NewClient(p.grpcAddr, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		conn.Connect()
		clients[i] = customerv1.NewCustomerServiceClient(conn)
	}
	return clients
}

// retryAfter is when an error asks to come back; 0 if it does not.
func retryAfter(err error) time.Duration {
	for _, detail := range status.Convert(err).Details() {
		if retry, ok := detail.(*errdetails.RetryInfo); ok {
			return retry.GetRetryDelay().AsDuration()
		}
	}
	return 0
}

func percentile(durations []time.Duration, percent int) time.Duration {
	if len(durations) == 0 {
		return 0
	}
	slices.Sort(durations)
	return durations[(len(durations)-1)*percent/100]
}

// Ten thousand callers within two seconds: the store works as much as it can and never gets more than it can, and
// whoever would have to wait in vain is told at once.
func TestTenThousandCallsDoNotOverrunTheStore(t *testing.T) {
	lasting := 10 * time.Second
	if soaking(t) {
		lasting = 30 * time.Second
	}
	const callers = 10_000
	best := directRate(t, callers, 5*time.Second)

	store, url := startStore(t, phpStore(callers, nil))
	gateway := startProcess(t, "no", url, "--log-level=warn")
	start := time.Now()
	told := crowd{Gateway: gateway.grpcAddr, Clients: callers, PerConnection: 100, Spread: 2 * time.Second, Lasting: lasting}.send(t)
	var goodput float64 // from the first write until the callers stop coming
	writes := store.Writes()
	for _, write := range writes {
		if write.Applied.Before(start.Add(lasting)) {
			goodput++
		}
	}
	goodput /= start.Add(lasting).Sub(writes[0].Received).Seconds()
	t.Logf("%v", told.Codes)
	t.Logf("goodput %.2f of the best of direct clients, at most %d in flight at the store, %d rejections in %s (p99), %d MiB at most",
		goodput/best, store.MaxInFlight(), told.Rejections, told.Slowest, gateway.peakMemory(t))
	if goodput < 0.95*best {
		t.Errorf("goodput is %.2f of the best, want 0.95", goodput/best)
	}
	if store.MaxInFlight() > 4 {
		t.Errorf("%d in flight at the store, want at most 4", store.MaxInFlight())
	}
	if told.Slowest > 250*time.Millisecond || told.Rejections < callers/2 {
		t.Errorf("%d rejections in %s (p99), want them in 250 ms", told.Rejections, told.Slowest)
	}
	if memory := gateway.peakMemory(t); memory > 256 {
		t.Errorf("%d MiB of memory, want at most 256", memory)
	}
	for code := range told.Codes {
		if code != "OK" && code != "ResourceExhausted OVERLOADED" {
			t.Errorf("a caller was told %s", code)
		}
	}
}

// directRate is how many updates a second four clients reach that have a store of that many customers to themselves.
func directRate(t *testing.T, customers int, lasting time.Duration) float64 {
	t.Helper()
	store, url := startStore(t, phpStore(customers, nil))
	crowd{Store: url, Clients: 4, Lasting: lasting}.send(t)
	writes := store.Writes()
	return float64(len(writes)) / writes[len(writes)-1].Applied.Sub(writes[0].Received).Seconds()
}

// One connection may carry more calls than it has streams, and everything that was opened for them is closed again.
func TestManyCallsOnOneConnectionDoNotStall(t *testing.T) {
	soaking(t)
	const calls = 2048
	store, url := startStore(t, sandbox.Config{Latency: time.Millisecond, Customers: calls})
	gateway := startProcess(t, "no", url, "--max-queue=4096", "--max-in-flight=16")
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
		t.Errorf("%d descriptors are open, and before it were %d", gateway.descriptors(t), before)
	}
}

// A store that is down is left alone, callers hear of it at once, and it is found out soon that it is back.
func TestStoreThatIsDownIsLeftAlone(t *testing.T) {
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
	gateway := startProcess(t, "no", url)
	s := newStorm(store)
	warmUp(t, s, []*process{gateway}, 1001, 10*time.Second)

	down.Store(true)
	ctx, cancel := context.WithTimeout(t.Context(), lasting)
	defer cancel()
	open := make(chan struct{}) // once the first callers have found it out
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
				case begun < 1500*time.Millisecond: // it is not known yet
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
		if reads.Add(1)%10 < 3 { // by turns: eight failures in a row, which chance would bring, have the store left alone
			return &sandbox.Failure{Work: sandbox.Never, Instead: sandbox.BadGateway()}
		}
		return nil
	}})
	gateway := startProcess(t, "no", url)
	s := newStorm(store)
	start := time.Now()
	s.blow(t.Context(), 10, ids(200), func() *process { return gateway }, 5*time.Second)
	calls := len(s.history())
	limit := 1.2*float64(calls) + time.Since(start).Seconds()
	t.Logf("%d calls made %d reads", calls, reads.Load())
	if float64(reads.Load()) > limit || int(reads.Load()) < calls*11/10 {
		t.Errorf("%d reads for %d calls, want at most %.0f, and some retries", reads.Load(), calls, limit)
	}
	s.judge(t, store)
}

// Under load, whatever deadlines callers have: nothing is begun that cannot be ended in time, and what they are told is
// the gateway's word, and in time.
func TestDeadlinesAreKept(t *testing.T) {
	calls := 600
	if soaking(t) {
		calls = 3000
	}
	var mu sync.Mutex
	deadlines := map[string]time.Time{}
	tooLate := map[string][]time.Duration{}
	sent := map[string]int{}
	store, url := startStore(t, phpStore(calls+40, func(r *http.Request) *sandbox.Failure {
		mu.Lock()
		defer mu.Unlock()
		if deadline, ok := deadlines[r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]]; ok {
			sent[r.Method]++
			needed := 33 * time.Millisecond
			if r.Method == http.MethodGet {
				needed *= 2
			}
			if left := time.Until(deadline); left < needed {
				tooLate[r.Method] = append(tooLate[r.Method], left)
			}
		}
		return nil
	}))
	gateway := startProcess(t, "no", url)
	s := newStorm(store)
	warmUp(t, s, []*process{gateway}, 1001, 10*time.Second)
	load, enough := context.WithCancel(t.Context())
	var busy, all sync.WaitGroup
	busy.Go(func() { s.blow(load, 40, ids(40), func() *process { return gateway }, time.Minute) })
	<-time.After(time.Second)
	// grpc-go tells the time that is left before it waits for a free stream, of which a connection has 100.
	clients := connect(t, gateway, 16)
	bare, gatewaysWord := 0, 0
	for _, customer := range ids(calls + 40)[40:] {
		timeout := time.Millisecond + rand.N(5*time.Second)
		all.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), timeout)
			defer cancel()
			deadline, _ := ctx.Deadline()
			mu.Lock()
			deadlines[strconv.FormatInt(customer, 10)] = deadline
			mu.Unlock()
			call := s.update(ctx, pick(clients), customer)
			mu.Lock()
			defer mu.Unlock()
			if call.Code == "DeadlineExceeded" {
				bare++
			} else {
				gatewaysWord++
			}
		})
		<-time.After(5 * time.Millisecond)
	}
	all.Wait()
	enough()
	busy.Wait()
	t.Logf("%d answers in time, %d not; sent with too little time left: %v of %v", gatewaysWord, bare, tooLate, sent)
	if bare*100 > calls {
		t.Errorf("%d of %d callers heard nothing before their deadline, want 1 in 100", bare, calls)
	}
	if len(tooLate) > 0 || sent[http.MethodPut] < calls/10 {
		t.Errorf("sent with too little time left: %v of %v", tooLate, sent)
	}
	s.judge(t, store)
}
