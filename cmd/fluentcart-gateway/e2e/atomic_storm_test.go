package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/history"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// quickAtomicFlags returns quickFlags for a gateway in write mode atomic.
func quickAtomicFlags() []string { return slices.Concat(quickFlags, []string{"--write-mode=atomic"}) }

// Through any number of gateways that share nothing, in a store that may lose one answer in five, and beside writers that do not
// use a gateway, every claim of an atomic update is true, and no update of anyone is reverted.
func TestEveryClaimOfAnAtomicUpdateIsTrueInAStorm(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name      string
		gateways  int
		lost      float64 // part of the answers
		customers int     // so many that the history of each is short enough to be judged
		outsiders int
		flags     []string
	}{
		{"one gateway loses answers", 1, 0.2, 30, 0, quickAtomicFlags()},
		{"two gateways share nothing", 2, 0, 5, 0, []string{"--write-mode=atomic"}},
		{"two gateways lose answers beside other writers", 2, 0.2, 80, 4, quickAtomicFlags()},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var liar falseResponses
			store, url := startStore(t, sandbox.Config{Companion: true, Latency: 5 * time.Millisecond, Customers: row.customers, Fail: func(r *http.Request) *sandbox.Failure {
				if r.Header.Get("User-Agent") == outsider || rand.Float64() >= row.lost {
					return nil
				}
				if rand.IntN(2) == 0 {
					return randomFailure()
				}
				return liar.response(r)
			}})
			liar.store = store
			var gateways []*process
			for range row.gateways {
				gateways = append(gateways, startGateway(t, url, slices.Concat(row.flags, []string{"--max-queue=1000", "--max-in-flight=16"})...))
			}
			s := newStorm(store)
			s.readLater = row.lost > 0
			ctx, stop := context.WithCancel(t.Context())
			var others sync.WaitGroup
			for range row.outsiders {
				others.Go(func() {
					for ctx.Err() == nil {
						s.updatePast(t, url, pick(ids(row.customers)))
					}
				})
			}
			for times := 0; times == 0 || times < 5 && s.counts()[history.Written] < 20; times++ { // more than once on a busy machine
				s.run(t.Context(), 60, ids(row.customers), func() *process { return pick(gateways) }, stormTime(t))
			}
			stop()
			others.Wait()
			for _, gateway := range gateways {
				if code := gateway.stop(); code != 0 {
					t.Errorf("a gateway ended with %d: %s", code, gateway.log)
				}
			}
			s.judge(t, store)
			if s.counts()[history.Written] < 20 {
				t.Errorf("too few calls were written: %v", s.counts())
			}
		})
	}
}

// outsider is the User-Agent of a client of the store that is not a gateway.
const outsider = "outsider"

// updatePast changes one column of a customer in the store, and keeps all others, without a gateway.
func (s *storm) updatePast(t *testing.T, store string, customer int64) {
	t.Helper()
	call := s.begin(customer)
	field := string(pick(stormFields))
	call.Fields[field] = fmt.Sprintf("%s %d", field, call.ID)
	s.record(call)
	body, _ := json.Marshal(map[string]any{"request_id": uuid.NewString(), "set": call.Fields}) // texts can be encoded
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, fmt.Sprintf("%s/wp-json/fluentcart-gateway/v1/customers/%d", store, customer), bytes.NewReader(body))
	if err != nil {
		t.Error(err)
		return
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", outsider)
	request.SetBasicAuth(sandbox.AdminUsername, sandbox.AdminPassword)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Error(err)
		return
	}
	defer response.Body.Close()
	var answer struct {
		Result   string
		Customer map[string]any
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || answer.Result != "applied" {
		t.Errorf("the store answers %q to another writer: %v", answer.Result, err)
		return
	}
	call.End, call.Outcome, call.Code, call.After = time.Now(), history.Written, "outsider", map[string]string{}
	for _, field := range stormFields {
		call.After[string(field)], _ = answer.Customer[string(field)].(string)
	}
	s.record(call)
}

// A gateway that is killed in the middle of atomic updates leaves nothing behind for which others have to wait, and no claim
// of it or of the others is false.
func TestKilledAtomicGatewayLosesNothing(t *testing.T) {
	t.Parallel()
	customers := ids(10)
	p := &gatewayPair{flags: slices.Concat(quickAtomicFlags(), []string{"--write-settle-time=1m"})} // as long as a quarantine would last
	p.store, p.url = startStore(t, sandbox.Config{Companion: true, Latency: 5 * time.Millisecond, Customers: len(customers), Fail: func(*http.Request) *sandbox.Failure {
		if rand.IntN(3) > 0 {
			return nil
		}
		return &sandbox.Failure{Delay: rand.N(700 * time.Millisecond)} // the write is applied although its gateway has been killed
	}})
	p.storm = newStorm(p.store)
	p.storm.readLater = true
	for i := range p.gateways {
		p.start(t, i)
	}
	kills := 2 * int(stormTime(t)/time.Second)
	for kill := range kills {
		i := kill % len(p.gateways)
		p.underLoad(t, customers, func() {
			p.gateways[i].kill()
			p.start(t, i)
		})
		p.usable(t, fmt.Sprintf("kill %d", kill), customers, 15*time.Second)
	}
	p.storm.judge(t, p.store)
}
