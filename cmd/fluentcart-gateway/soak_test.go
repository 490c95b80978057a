package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/history"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease/redistest"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// Fifty callers who update one customer at the same time all keep their change, through one gateway and through three.
// The time is that of their reads and writes one after another: nothing is lost on handing the customer on.
func TestConcurrentUpdatesOfOneCustomerAreAllKept(t *testing.T) {
	rounds := 2
	if soaking(t) {
		rounds = 20
	}
	const callers = 50
	for _, gateways := range []int{1, 3} {
		t.Run(fmt.Sprintf("%d gateways", gateways), func(t *testing.T) {
			store, url := startStore(t, sandbox.Config{Workers: 4, Latency: 33 * time.Millisecond, Customers: 1})
			args := []string{"--write-settle-time=10s", "--get-timeout=1s"}
			if gateways > 1 {
				args = append(args, "--redis-url="+redistest.Start(t).URL)
			}
			var running []*process
			for range gateways {
				running = append(running, startProcess(t, "no", url, args...))
			}
			_, undisturbed := startStore(t, sandbox.Config{Workers: 4, Latency: 33 * time.Millisecond})
			s := newStorm(store)
			warmUp(t, s, running, 1001, 15*time.Second)
			for round := range rounds {
				pair := directPair(t, undisturbed, 10)
				var all sync.WaitGroup
				start := time.Now()
				for i := range callers {
					all.Go(func() {
						ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
						defer cancel()
						if call := s.update(ctx, running[i%gateways].customers, 1001); call.Outcome != history.Written {
							t.Errorf("round %d: %s", round, call)
						}
					})
				}
				all.Wait()
				ratio := time.Since(start).Seconds() / (callers * pair.Seconds())
				t.Logf("round %d: %.2f times as long as %d reads and writes one after another", round, ratio, callers)
				if ratio > 1.2 {
					t.Errorf("round %d: %.2f times as long, want at most 1.2", round, ratio)
				}
			}
			s.judge(t, store)
		})
	}
}

// warmUp waits until every gateway updates: a new Redis gives no leases at first.
func warmUp(t *testing.T, s *storm, gateways []*process, customer int64, within time.Duration) {
	t.Helper()
	for _, gateway := range gateways {
		if !waitFor(t, within, func() bool {
			ctx, cancel := context.WithTimeout(t.Context(), within)
			defer cancel()
			return s.update(ctx, gateway.customers, customer).Outcome == history.Written
		}) {
			t.Fatalf("a gateway updates nothing: %s", gateway.log)
		}
	}
}

// directPair measures a read and a write of a client that has the store to itself.
func directPair(t *testing.T, url string, times int) time.Duration {
	t.Helper()
	start := time.Now()
	for range times {
		if err := directUpdate(t.Context(), http.DefaultClient, url, 1); err != nil {
			t.Fatal(err)
		}
	}
	return time.Since(start) / time.Duration(times)
}

// mishap is one of all the things that go wrong with a store. What lands late does so within 1.2 s.
func mishap() *sandbox.Failure {
	late := time.Duration(rand.IntN(1000)) * time.Millisecond
	return pick([]*sandbox.Failure{
		{Delay: time.Duration(rand.IntN(800)) * time.Millisecond},
		{Work: sandbox.Never, Delivery: sandbox.Reset},
		{Delivery: sandbox.Reset},
		{Delivery: sandbox.Silent},
		{Work: sandbox.Never, Delivery: sandbox.Silent},
		{Work: sandbox.Late, LateBy: late, Delivery: sandbox.Silent},
		{Work: sandbox.Late, LateBy: late, Delivery: sandbox.Reset},
		{Work: sandbox.Late, LateBy: late},
		{Work: sandbox.Late, LateBy: late, Instead: sandbox.BadGateway()},
		{Work: sandbox.Never, Instead: sandbox.BadGateway()},
		{Work: sandbox.Never, Instead: sandbox.GatewayTimeout()},
		{Work: sandbox.Never, Instead: sandbox.Maintenance()},
		{Work: sandbox.Never, Instead: sandbox.FatalError()},
		{Instead: sandbox.FatalError()},
		{Instead: sandbox.Response{Status: http.StatusOK, ContentType: "text/html", Body: "<html><body>cached</body></html>"}},
		{Work: sandbox.Never, Instead: sandbox.Response{Status: http.StatusOK, ContentType: "text/html", Body: "<html><body>cached</body></html>"}},
		{Delivery: sandbox.Truncated},
		{Delivery: sandbox.Dripping, Piece: 100, Pause: 10 * time.Millisecond},
		{Delivery: sandbox.Dripping, Piece: 10, Pause: 20 * time.Millisecond},
	})
}

// sometimes lets a part of the requests fail.
func sometimes(part float64) func(*http.Request) *sandbox.Failure {
	return func(*http.Request) *sandbox.Failure {
		if rand.Float64() >= part {
			return nil
		}
		return mishap()
	}
}

// quick are settings under which things go wrong quickly. A lease lasts for 600 ms, and its writes land within 1.5 s.
var quick = []string{"--get-timeout=300ms", "--put-timeout=400ms", "--write-settle-time=1500ms", "--drain-timeout=3s"}

const quickHold = 600*time.Millisecond + 1500*time.Millisecond

// Five hundred callers, a hundred customers, three gateways, and a store of whose requests one in twenty goes wrong in
// some way: nobody is told what is not so, and nothing is put back.
func TestEveryClaimIsTrueInAStorm(t *testing.T) {
	lasting := 15 * time.Second
	if soaking(t) {
		lasting = time.Minute
	}
	store, url := startStore(t, sandbox.Config{Latency: 5 * time.Millisecond, Customers: 100, Fail: sometimes(0.05)})
	redis := redistest.Start(t)
	var gateways []*process
	for range 3 {
		gateways = append(gateways, startProcess(t, "no", url, append(quick, "--redis-url="+redis.URL, "--max-queue=1000", "--max-in-flight=16")...))
	}
	s := newStorm(store)
	warmUp(t, s, gateways, 1001, 15*time.Second)
	s.blow(t.Context(), 500, ids(100), func() *process { return pick(gateways) }, lasting)
	for _, gateway := range gateways {
		if code := gateway.stop(); code != exitOK {
			t.Errorf("a gateway ended with %d: %s", code, gateway.log)
		}
	}
	s.judge(t, store)
	if counts := s.counts(); counts[history.Written] < 1000 || counts[history.Unknown] == 0 || counts[history.NotWritten] == 0 {
		t.Errorf("a storm in which too little happens: %v", counts)
	}
}

// blow makes that many callers update customers one after another, for a time. Their deadlines are all over the place,
// and some of them leave early.
func (s *storm) blow(ctx context.Context, callers int, customers []int64, gateway func() *process, lasting time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, lasting)
	defer cancel()
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for ctx.Err() == nil {
				s.updateInATime(ctx, gateway(), pick(customers))
			}
		})
	}
	all.Wait()
}

func (s *storm) updateInATime(ctx context.Context, gateway *process, customer int64) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Duration(50+rand.IntN(4000))*time.Millisecond)
	defer cancel()
	if rand.IntN(20) == 0 {
		leaving := time.AfterFunc(time.Duration(rand.IntN(100))*time.Millisecond, cancel)
		defer leaving.Stop()
	}
	if call := s.update(ctx, gateway.door(), customer); call.Outcome != history.Written {
		select { // whoever fails takes a breath
		case <-ctx.Done():
		case <-time.After(time.Duration(10+rand.IntN(50)) * time.Millisecond):
		}
	}
}

func (s *storm) counts() map[history.Outcome]int {
	counts := map[history.Outcome]int{}
	for _, call := range s.history() {
		counts[call.Outcome]++
	}
	return counts
}

// The checks of a storm are worth something: with a part of the leases switched off they find what goes wrong.
func TestStormFindsWhatIsMissing(t *testing.T) {
	times := 2
	if soaking(t) {
		times = 10
	}
	const within = 10 * time.Second
	lateNowAndThen := func(r *http.Request) *sandbox.Failure {
		if r.Method != http.MethodPut || rand.IntN(10) > 0 {
			return nil
		}
		return &sandbox.Failure{Work: sandbox.Late, LateBy: time.Second, Delivery: sandbox.Silent}
	}
	for _, row := range []struct {
		name, sabotage string
		fail           func(*http.Request) *sandbox.Failure
		blow           func(context.Context, *testing.T, *storm, string, string)
		found          bool
	}{
		{"without a lease", "lease", nil, blowOnOne, true},
		{"without the quarantine", "quarantine", lateNowAndThen, blowOnOne, true},
		{"with the quarantine", "no", lateNowAndThen, blowOnOne, false},
		{"without the check before a write", "slow without a check", nil, standStill, true},
		{"with the check before a write", "slow", nil, standStill, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			for range times {
				store, url := startStore(t, sandbox.Config{Latency: 5 * time.Millisecond, Customers: standing, Fail: row.fail})
				s := newStorm(store)
				ctx, enough := context.WithCancel(t.Context())
				defer enough()
				over := make(chan struct{})
				go func() {
					defer close(over)
					row.blow(ctx, t, s, url, row.sabotage)
				}()
				start := time.Now()
				reverts := func() int { return len(history.Reverts(s.history(), store.Writes())) }
				found := waitFor(t, within, func() bool {
					select {
					case <-over:
						return true
					default:
						return reverts() > 0
					}
				}) && reverts() > 0
				t.Logf("found: %v, after %s", found, time.Since(start).Round(time.Millisecond))
				enough()
				<-over
				if found != row.found {
					t.Errorf("a revert was found: %v, want %v", found, row.found)
				}
				if !row.found {
					s.judge(t, store)
				}
			}
		})
	}
}

// blowOnOne is a storm over one customer, for a few seconds.
func blowOnOne(ctx context.Context, t *testing.T, s *storm, url, sabotage string) {
	gateway := startProcess(t, sabotage, url, quick...)
	s.blow(ctx, 8, ids(1), func() *process { return gateway }, 6*time.Second)
	gateway.stop()
}

// standing is how many customers a gateway that stands still has leases of.
const standing = 8

// standStill lets one gateway do nothing for longer than its leases live, while another updates the same customers.
func standStill(ctx context.Context, t *testing.T, s *storm, url, sabotage string) {
	redis := redistest.Start(t)
	args := []string{"--redis-url=" + redis.URL, "--get-timeout=200ms", "--put-timeout=300ms", "--write-settle-time=800ms", "--drain-timeout=3s", "--max-in-flight=8"}
	other := startProcess(t, "no", url, args...)
	warmUp(t, s, []*process{other}, 1001, 10*time.Second)
	still := startProcess(t, sabotage, url, args...)
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	over := make(chan struct{})
	var waking, busy sync.WaitGroup
	for _, customer := range ids(standing) {
		waking.Go(func() { s.update(ctx, still.customers, customer) })
		busy.Go(func() {
			for {
				select {
				case <-over:
					return
				default:
					s.update(ctx, other.customers, customer)
				}
			}
		})
	}
	waking.Wait()
	close(over)
	busy.Wait()
	still.stop()
	other.stop()
}
