package service_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/history"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// modeOf returns the mode that the service uses now.
func (h *harness) modeOf() service.WriteMode {
	mode, _ := h.service.Mode()
	return mode
}

// In write mode auto the companion is used as soon as a probe has found it, and updates that come by a read, a merge and a write
// while the ways change lose nothing: atomic updates wait for their leases.
func TestCompanionIsUsedOnceItIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, setup{
			store:   sandbox.Config{Fail: delayWrites(500 * time.Millisecond)},
			service: service.Config{WriteMode: service.Auto},
		})
		advance(time.Second)
		if mode := h.modeOf(); mode != service.Merge {
			t.Errorf("without the companion the mode is %s", mode)
		}
		h.store.SetCompanion(true)
		advance(5*time.Minute - 200*time.Millisecond)
		var callers sync.WaitGroup
		callers.Go(func() { // it reads before the probe, and writes after it
			if got := h.update(t.Context(), 1, 1, "city"); got.Outcome != history.Written {
				t.Errorf("the update by merge got %s, %s", got.Code, got.reason)
			}
		})
		callers.Go(func() {
			advance(300 * time.Millisecond)
			if mode := h.modeOf(); mode != service.Atomic {
				t.Errorf("after the probe the mode is %s", mode)
			}
			if got := h.update(t.Context(), 2, 1, "notes"); got.Outcome != history.Written {
				t.Errorf("the atomic update got %s, %s", got.Code, got.reason)
			}
		})
		callers.Wait()
		h.finish(t)
		h.checkHistory(t)
		if atomic := h.transport.requestsWhere(func(r sentRequest) bool { return r.call == 2 }); len(atomic) != 1 || atomic[0].method != http.MethodPost {
			t.Errorf("the second update sent %v, want one POST", atomic)
		}
	})
}

// A companion that is gone is noticed by the first update, which is then made by a read, a merge and a write.
func TestUpdateGoesOnWithoutACompanionThatIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, setup{store: sandbox.Config{Companion: true}, service: service.Config{WriteMode: service.Auto}})
		advance(time.Second)
		if got := h.update(t.Context(), 1, 1, "city"); got.Outcome != history.Written || h.modeOf() != service.Atomic {
			t.Errorf("the atomic update got %s, %s in mode %s", got.Code, got.reason, h.modeOf())
		}
		h.store.SetCompanion(false)
		if got := h.update(t.Context(), 2, 1, "notes"); got.Outcome != history.Written || h.modeOf() != service.Merge {
			t.Errorf("the update without the companion got %s, %s in mode %s", got.Code, got.reason, h.modeOf())
		}
		h.finish(t)
		h.checkHistory(t)
		var methods []string
		for _, sent := range h.transport.requestsWhere(func(r sentRequest) bool { return r.call == 2 }) {
			methods = append(methods, sent.method)
		}
		if got := strings.Join(methods, " "); got != "POST GET PUT" {
			t.Errorf("the update sent %s", got)
		}
		if !strings.Contains(h.log.String(), "customers are not updated through the WordPress companion") {
			t.Error("the log does not say that the companion is gone")
		}
	})
}

// While an atomic update is in flight whose outcome is not known, none begins by a read: the write after it could put back what the
// atomic one changes.
func TestNoReadBeginsBeforeTheLatestAtomicUpdateHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, setup{
			store: sandbox.Config{Companion: true, Fail: failFirstUpdate(sandbox.Failure{Delay: 4 * time.Second})}, // it is applied then
			service: service.Config{
				WriteMode: service.Auto, SettleTime: 20 * time.Second,
			},
		})
		advance(time.Second)
		var callers sync.WaitGroup
		callers.Go(func() { h.update(t.Context(), 1, 1, "city") })
		callers.Go(func() {
			advance(100 * time.Millisecond)
			h.store.SetCompanion(false)
			got := h.update(t.Context(), 2, 1, "notes")
			if got.reason != "STORE_UNAVAILABLE" || got.state != "not_sent" || got.retryAfter == 0 {
				t.Errorf("the update while the atomic one is in flight got %s, %s, %s, retry after %v", got.Code, got.reason, got.state, got.retryAfter)
			}
		})
		callers.Wait()
		advance(30 * time.Second)
		if got := h.update(t.Context(), 3, 1, "notes"); got.Outcome != history.Written {
			t.Errorf("the update after that got %s, %s", got.Code, got.reason)
		}
		h.finish(t)
		h.checkHistory(t)
	})
}

// With other gateways in front of the same store, of which one may not have found the companion, atomic updates take leases. One
// whose answer is lost keeps its lease until its outcome is known.
func TestGatewaysThatShareAStoreTakeLeases(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		leases := lease.NewLocal(lease.Limits{})
		with := setup{
			store:   sandbox.Config{Companion: true, Fail: failFirstUpdate(sandbox.Failure{Work: sandbox.Late, LateBy: 500 * time.Millisecond, Delivery: sandbox.Silent})},
			service: service.Config{WriteMode: service.Auto, Shared: true, Leases: leases},
		}
		h := newHarness(t, with)
		advance(time.Second)
		var callers sync.WaitGroup
		callers.Go(func() {
			if got := h.update(t.Context(), 1, 1, "city"); got.Outcome == history.Unknown {
				t.Errorf("the atomic update got %s, %s, %s", got.Code, got.reason, got.state)
			}
		})
		callers.Go(func() {
			advance(100 * time.Millisecond)
			if grant, err := leases.LastGrant(t.Context(), 1); err != nil || grant != lease.Held {
				t.Errorf("during the atomic update the lease is %q, %v", grant, err)
			}
			got := h.update(t.Context(), 2, 1, "notes")
			if got.Outcome != history.Written || got.took() < 900*time.Millisecond {
				t.Errorf("the next update got %s after %v, before the first had its outcome", got.Code, got.took())
			}
		})
		callers.Wait()
		if !h.service.NeedsLeases() {
			t.Error("no leases are needed")
		}
		h.finish(t)
		h.checkHistory(t)
	})
}

// While cancellations get no answer, an update reads first, so that a store that refuses everything is known at once and the outcome
// of no further update is unknown.
func TestStoreThatRefusesEverythingIsKnownAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		blocked := make(chan struct{})
		h := newHarness(t, atomicSetup(func(*http.Request) *sandbox.Failure {
			if isClosed(blocked) {
				return nil
			}
			return &sandbox.Failure{Work: sandbox.Never, Instead: sandbox.ModSecurity(http.StatusForbidden)}
		}))
		advance(time.Second)
		if first := h.update(contextEnding(t, byDeadline, 3*time.Second), 1, 1, "city"); first.state != "unknown" {
			t.Errorf("the first update got %s, %s, %s", first.Code, first.reason, first.state)
		}
		if second := h.update(t.Context(), 2, 1, "city"); second.reason != "STORE_BLOCKED" || second.state != "not_sent" || second.took() > 2*latency {
			t.Errorf("the next update got %s, %s, %s after %v", second.Code, second.reason, second.state, second.took())
		}
		close(blocked)
		advance(20 * time.Second)
		if third := h.update(t.Context(), 3, 1, "city"); third.Outcome != history.Written || third.took() != latency {
			t.Errorf("the update after that got %s, %s after %v", third.Code, third.reason, third.took())
		}
		h.finish(t)
		h.checkHistory(t)
	})
}

// In write mode atomic nothing is written without the companion, and an error says what to install.
func TestNothingIsWrittenInModeAtomicWithoutTheCompanion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, setup{service: service.Config{WriteMode: service.Atomic}})
		got := h.update(t.Context(), 1, 1, "city")
		if _, problem := h.service.Mode(); got.reason != "STORE_ROUTE_MISSING" || got.state != "not_sent" || problem != "the store has no WordPress companion" {
			t.Errorf("the update got %s, %s, %s; the problem is %q", got.Code, got.reason, got.state, problem)
		}
		h.store.SetCompanion(true)
		advance(6 * time.Second) // it is probed for every 5 s
		if got := h.update(t.Context(), 2, 1, "city"); got.Outcome != history.Written {
			t.Errorf("the update after the companion was installed got %s, %s", got.Code, got.reason)
		}
		h.finish(t)
		h.checkHistory(t)
	})
}

// A store that does not answer the probe is probed again soon, and its updates are made as before.
func TestProbeIsRepeatedUntilTheStoreAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, setup{store: sandbox.Config{Companion: true}, service: service.Config{WriteMode: service.Auto}})
		h.transport.disconnect()
		advance(5 * time.Second)
		if got := h.update(t.Context(), 1, 1, "city"); got.reason != "STORE_UNAVAILABLE" || got.state != "not_sent" {
			t.Errorf("the update while the store is unreachable got %s, %s, %s", got.Code, got.reason, got.state)
		}
		h.transport.reconnect()
		advance(20 * time.Second)
		if got := h.update(t.Context(), 2, 1, "city"); got.Outcome != history.Written || h.modeOf() != service.Atomic {
			t.Errorf("the update after that got %s, %s in mode %s", got.Code, got.reason, h.modeOf())
		}
		h.finish(t)
		h.checkHistory(t)
	})
}
