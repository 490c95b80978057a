package e2e

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease/redistest"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// Callers leave at random moments, the store loses answers, and the gateway stops in the middle. Each request to the companion has
// its outcome in the log, or a line which says that it is in doubt, and no line is false.
func TestOutcomeOfEveryAtomicUpdateIsInTheLog(t *testing.T) {
	for _, row := range []struct {
		name  string
		redis bool
	}{
		{"without Redis", false},
		{"with Redis", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			const warmed = 1001 // its updates come before the others
			customers := ids(1 + 150*int(stormTime(t)/time.Second))[1:]
			store := newPostedStore(t, len(customers)+1)
			flags := slices.Concat(quickAtomicFlags(), []string{"--max-in-flight=16", "--max-queue=1000"})
			if row.redis {
				flags = append(flags, "--redis-url="+redistest.Start(t).URL)
			}
			gateway := startGateway(t, store.url, flags...)
			s := newStorm(store.Store)
			s.readLater = true
			warmUp(t, s, []*process{gateway}, warmed, 15*time.Second)
			store.losing.Lock()
			store.lost = 0.4
			store.losing.Unlock()

			next := make(chan int64, len(customers))
			for _, customer := range customers {
				next <- customer
			}
			close(next)
			terminate := sync.OnceFunc(func() { _ = gateway.command.Process.Signal(syscall.SIGTERM) }) // it has not ended before
			var calling sync.WaitGroup
			for range 8 {
				calling.Go(func() {
					for customer := range next {
						if len(next) < len(customers)/10 {
							terminate()
						}
						s.updateAndLeave(t, gateway, customer)
					}
				})
			}
			calling.Wait()
			<-gateway.ended
			if code := gateway.command.ProcessState.ExitCode(); code != 0 {
				t.Errorf("the gateway ended with %d", code)
			}
			s.judge(t, store.Store)
			store.compareWith(t, gateway.log.String())
		})
	}
}

// updateAndLeave makes a call whose caller leaves, by its deadline or before it: within 60 ms, and with many in half a second, because
// a busy machine sends no update in less.
func (s *storm) updateAndLeave(t *testing.T, gateway *process, customer int64) {
	t.Helper()
	deadline := (time.Millisecond + rand.N(60*time.Millisecond)) << rand.IntN(4)
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	if rand.IntN(2) == 0 {
		leaving := time.AfterFunc(rand.N(deadline), cancel)
		defer leaving.Stop()
	}
	s.update(ctx, gateway.anyTransport(), customer)
}

// postedStore is a store that loses answers, and records whose updates it got meanwhile.
type postedStore struct {
	*sandbox.Store

	url string

	losing sync.Mutex
	lost   float64 // part of the answers
	posted map[int64]bool
}

func newPostedStore(t *testing.T, customers int) *postedStore {
	t.Helper()
	p := &postedStore{posted: map[int64]bool{}}
	p.Store, p.url = startStore(t, sandbox.Config{Companion: true, Latency: 5 * time.Millisecond, Customers: customers, Fail: func(r *http.Request) *sandbox.Failure {
		p.losing.Lock()
		defer p.losing.Unlock()
		if p.lost == 0 {
			return nil
		}
		if id, reads := sandbox.Customer(r); !reads && id != 0 {
			p.posted[id] = true
		}
		if rand.Float64() >= p.lost {
			return nil
		}
		return randomFailure()
	}})
	return p
}

// compareWith compares the last state of each customer in a gateway's log with the writes. Each has one call.
func (p *postedStore) compareWith(t *testing.T, log string) {
	t.Helper()
	const callEnds, callerGone, stopped = "call", "outcome of a write whose caller is gone", "stopped with a write in doubt; it may still be applied"
	state, isFinal, lines := map[int64]string{}, map[int64]bool{}, map[int64][]string{}
	for text := range strings.Lines(log) {
		var line struct {
			Msg        string
			Customer   int64  `json:"customer_id"`
			WriteState string `json:"write_state"`
		}
		if json.Unmarshal([]byte(text), &line) != nil || line.Customer == 0 {
			continue
		}
		lines[line.Customer] = append(lines[line.Customer], text)
		switch line.Msg {
		case callEnds, callerGone:
			if line.Msg == callerGone || !isFinal[line.Customer] {
				state[line.Customer] = line.WriteState
			}
			isFinal[line.Customer] = isFinal[line.Customer] || line.Msg == callerGone || line.WriteState != "unknown"
		case stopped:
			isFinal[line.Customer] = true
		}
	}
	written := map[int64]bool{}
	for _, write := range p.Writes() {
		written[write.Customer] = true
	}
	counts := map[string]int{}
	for customer := range p.posted {
		counts[state[customer]]++
		isWritten := state[customer] == "written"
		if !isFinal[customer] || state[customer] != "unknown" && isWritten != written[customer] {
			t.Errorf("customer %d was written (%v), and the log says:\n%s", customer, written[customer], strings.Join(lines[customer], ""))
		}
	}
	if len(p.posted) < 10 {
		t.Error("too few updates came to the store")
	}
	t.Logf("%d updates came to the store; the log says %v", len(p.posted), counts)
}
