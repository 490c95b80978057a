package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/history"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease/redistest"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// pair are two gateways behind which a store writes slowly now and then, and a Redis between them.
type gatewayPair struct {
	store *sandbox.Store
	url   string
	redis *redistest.Server
	storm *storm
	watch *leaseWatch

	mu       sync.Mutex
	gateways [2]*process
}

func startPair(t *testing.T, customers int) *gatewayPair {
	t.Helper()
	p := &gatewayPair{redis: redistest.Start(t)}
	p.watch = newLeaseWatch(t, p.redis)
	p.store, p.url = startStore(t, sandbox.Config{Latency: 5 * time.Millisecond, Customers: customers, Fail: func(r *http.Request) *sandbox.Failure {
		p.watch.arrived(r)
		if r.Method != http.MethodPut || rand.IntN(3) > 0 {
			return nil
		}
		return &sandbox.Failure{Delay: time.Duration(rand.IntN(700)) * time.Millisecond} // it lands although its gateway is gone
	}})
	p.watch.prefix = "fluentcart-gateway:{" + strings.TrimPrefix(p.url, "http://") + "}:lease:"
	p.storm = newStorm(p.store)
	for i := range p.gateways {
		p.start(t, i)
	}
	warmUp(t, p.storm, p.gateways[:], 1001, 15*time.Second)
	p.watch.begin()
	return p
}

func (p *gatewayPair) start(t *testing.T, i int) {
	t.Helper()
	started := startProcess(t, "no", p.url, append(quick, "--redis-url="+p.redis.URL)...)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gateways[i] = started
}

func (p *gatewayPair) any() *process {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.gateways[rand.IntN(len(p.gateways))]
}

// underLoad does something in the middle of a storm.
func (p *gatewayPair) underLoad(t *testing.T, customers []int64, something func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var blowing sync.WaitGroup
	blowing.Go(func() { p.storm.blow(ctx, 20, customers, p.any, time.Minute) })
	<-time.After(time.Duration(50+rand.IntN(250)) * time.Millisecond)
	something()
	cancel()
	blowing.Wait()
}

// usable fails the test if a customer cannot be updated within that time.
func (p *gatewayPair) usable(t *testing.T, what string, customers []int64, within time.Duration) {
	t.Helper()
	end := time.Now().Add(within)
	var all sync.WaitGroup
	for _, customer := range customers {
		all.Go(func() {
			last := history.Call{}
			for time.Now().Before(end) {
				ctx, cancel := context.WithDeadline(t.Context(), end)
				last = p.storm.update(ctx, p.any().customers, customer)
				cancel()
				if last.Outcome == history.Written {
					return
				}
				<-time.After(20 * time.Millisecond)
			}
			t.Errorf("%s: customer %d cannot be updated after %s: %s", what, customer, within, last)
		})
	}
	all.Wait()
}

// slack is what a busy machine, and the write of the one before, may take on top.
const slack = 2 * time.Second

// A gateway that is killed at any moment leaves nothing half done: what it had sent may land, and until then nobody
// else gets that customer. After that everybody does.
func TestKilledGatewayLosesNothing(t *testing.T) {
	kills := 6
	if soaking(t) {
		kills = 50
	}
	customers := ids(10)
	p := startPair(t, len(customers))
	for kill := range kills {
		i := kill % len(p.gateways)
		p.underLoad(t, customers, func() {
			p.gateways[i].kill()
			p.start(t, i)
		})
		p.usable(t, fmt.Sprintf("kill %d", kill), customers, quickHold+slack)
	}
	p.storm.judge(t, p.store)
	p.watch.judge(t)
}

// Whatever happens to Redis, nobody writes without a lease that is known to be theirs.
func TestRedisMayFail(t *testing.T) {
	rounds := 1
	if soaking(t) {
		rounds = 10
	}
	customers := ids(10)
	p := startPair(t, len(customers))
	flush := func() {
		client := p.watch.client
		if err := client.FlushAll(t.Context()).Err(); err != nil {
			t.Error(err)
		}
	}
	for round := range rounds {
		for _, incident := range []struct {
			name   string
			happen func()
		}{
			{"killed and restarted empty", func() { p.redis.Kill(t); <-time.After(200 * time.Millisecond); p.redis.Restart(t) }},
			{"restarted at once", func() { p.redis.Restart(t) }},
			{"paused", func() { p.redis.Pause(t); <-time.After(1500 * time.Millisecond); p.redis.Resume(t) }},
			{"paused for longer than a lease lives", func() { p.redis.Pause(t); <-time.After(quickHold + 500*time.Millisecond); p.redis.Resume(t) }},
			{"flushed", flush},
			{"killed for longer than a lease lives", func() { p.redis.Kill(t); <-time.After(quickHold + time.Second); p.redis.Restart(t) }},
		} {
			p.underLoad(t, customers, func() {
				p.watch.broken()
				incident.happen()
				p.watch.mended()
				<-time.After(time.Duration(rand.IntN(300)) * time.Millisecond)
			})
			p.usable(t, fmt.Sprintf("round %d, %s", round, incident.name), customers, quickHold+slack)
		}
	}
	p.storm.judge(t, p.store)
	p.watch.judge(t)
}

// leaseWatch looks into Redis whenever a write reaches the store: somebody must have that customer's lease. While Redis
// is broken, and for the term of a lease after that, it may have forgotten it; then a write must come from a lease that
// was given before.
type leaseWatch struct {
	client *redis.Client
	prefix string

	mu       sync.Mutex
	watching bool
	excuse   time.Time // until when a write may come without a lease that can be seen
	isBroken bool
	seen     int
	without  []string
}

func newLeaseWatch(t *testing.T, server *redistest.Server) *leaseWatch {
	t.Helper()
	options, err := redis.ParseURL(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	options.MaxRetries, options.DialerRetries = -1, 1
	options.ReadTimeout, options.DialTimeout, options.ContextTimeoutEnabled = 50*time.Millisecond, 50*time.Millisecond, true
	client := redis.NewClient(options)
	t.Cleanup(func() { _ = client.Close() })
	return &leaseWatch{client: client}
}

func (w *leaseWatch) begin() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.watching = true
}

// quickTerm is the time within which a lease allows a write to begin, and a little for it to arrive.
const quickTerm = 600*time.Millisecond + 300*time.Millisecond

// broken says that leases that were given so far cannot be seen any more.
func (w *leaseWatch) broken() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.isBroken, w.excuse = true, time.Now().Add(quickTerm)
}

// mended says that Redis works again: every lease that is given now can be seen.
func (w *leaseWatch) mended() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.isBroken = false
	w.excuse = time.Now().Add(quickTerm)
}

func (w *leaseWatch) arrived(r *http.Request) {
	if r.Method != http.MethodPut {
		return
	}
	w.mu.Lock()
	watching, excuse := w.watching, w.excuse
	w.mu.Unlock()
	if !watching || time.Now().Before(excuse) {
		return
	}
	customer := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	held, err := w.client.Exists(r.Context(), w.prefix+customer).Result()
	w.mu.Lock()
	defer w.mu.Unlock()
	if time.Now().Before(w.excuse) { // it broke meanwhile
		return
	}
	w.seen++
	switch {
	case err != nil && w.isBroken:
		w.without = append(w.without, fmt.Sprintf("at %s customer %s was written, long after Redis was lost", time.Now().Format("15:04:05.000"), customer))
	case err == nil && held == 0:
		w.without = append(w.without, fmt.Sprintf("at %s customer %s was written, and nobody had its lease", time.Now().Format("15:04:05.000"), customer))
	}
}

func (w *leaseWatch) judge(t *testing.T) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.seen < 20 {
		t.Errorf("only %d writes were watched", w.seen)
	}
	for _, fault := range w.without {
		t.Error(fault)
	}
	t.Log("the lease of " + strconv.Itoa(w.seen) + " writes was looked for")
}
