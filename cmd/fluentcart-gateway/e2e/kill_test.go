package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/history"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease/redistest"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// gatewayPair is two gateways that share a Redis, in front of a store that applies some writes late.
type gatewayPair struct {
	store *sandbox.Store
	url   string
	redis *redistest.Server
	storm *storm
	watch *leaseWatch
	flags []string // of both gateways

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
		return &sandbox.Failure{Delay: time.Duration(rand.IntN(700)) * time.Millisecond} // the write is applied although its gateway has been killed
	}})
	p.watch.prefix = "fluentcart-gateway:{" + strings.TrimPrefix(p.url, "http://") + "}:lease:"
	p.storm = newStorm(p.store)
	p.flags = slices.Concat(quickFlags, []string{"--redis-url=" + p.redis.URL})
	for i := range p.gateways {
		p.start(t, i)
	}
	warmUp(t, p.storm, p.gateways[:], 1001, 15*time.Second)
	p.watch.begin()
	return p
}

func (p *gatewayPair) start(t *testing.T, i int) {
	t.Helper()
	started := startGateway(t, p.url, slices.Clone(p.flags)...)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gateways[i] = started
}

func (p *gatewayPair) any() *process {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.gateways[rand.IntN(len(p.gateways))]
}

// underLoad calls incident in the middle of a storm.
func (p *gatewayPair) underLoad(t *testing.T, customers []int64, incident func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { p.storm.run(ctx, 20, customers, p.any, time.Minute) })
	<-time.After(time.Duration(50+rand.IntN(250)) * time.Millisecond)
	incident()
	cancel()
	running.Wait()
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

// slack is additional time for a busy machine, and for the write of the lease's former holder.
const slack = 2 * time.Second

// A gateway may be killed at any moment. The store may still apply its write, and until then no gateway gets the lease of
// that customer. After that every gateway can.
func TestKilledGatewayLosesNothing(t *testing.T) {
	kills := 6
	if soaking(t) {
		kills = 50
	}
	t.Parallel()
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
