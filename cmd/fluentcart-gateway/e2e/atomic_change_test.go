package e2e

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// A store loses its companion and gets it back, again and again during a storm. The gateway changes between atomic updates and
// read-merge-write; it reverts nothing, makes no false claim, and the calls that fail meanwhile can be repeated.
func TestCompanionThatComesAndGoesLosesNothing(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		lost  float64 // part of the answers
		flags []string
	}{
		{"every answer arrives", 0, nil},
		{"one answer in five is lost", 0.2, quickFlags},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			const customers = 20
			store := newChangingStore(t, sandbox.Config{Latency: 5 * time.Millisecond, Customers: customers, Fail: failSome(row.lost)})
			gateway := startGateway(t, store.url, slices.Concat(row.flags, []string{"--max-queue=1000", "--max-in-flight=16"})...)
			s := newStorm(store.Store)
			s.readLater = row.lost > 0
			ctx, stop := context.WithCancel(t.Context())
			var calling sync.WaitGroup
			calling.Go(func() { s.run(ctx, 30, ids(customers), func() *process { return gateway }, 10*time.Minute) })
			for change := range 3 + int(stormTime(t)/time.Second) {
				if before := store.writes(); !waitFor(t, 30*time.Second, func() bool { return store.writes() >= before+10 }) {
					t.Errorf("no updates after change %d", change)
				}
				store.change()
			}
			stop()
			calling.Wait()
			if code := gateway.stop(); code != 0 {
				t.Errorf("the gateway ended with %d: %s", code, gateway.log)
			}
			s.judge(t, store.Store)
			retryable := []string{"OK", "Unavailable", "Aborted", "ResourceExhausted", "DeadlineExceeded", "Canceled"}
			for _, call := range s.history() {
				if code, _, _ := strings.Cut(call.Code, " "); row.lost == 0 && !slices.Contains(retryable, code) {
					t.Errorf("not retryable: %s", call)
				}
			}
		})
	}
}

// changingStore is a store whose companion comes and goes. Without it, a probe is not answered: the gateway then repeats the probe
// soon, and finds the companion when it is back.
type changingStore struct {
	*sandbox.Store

	url    string
	active atomic.Bool
}

func newChangingStore(t *testing.T, cfg sandbox.Config) *changingStore {
	t.Helper()
	cfg.KeepLog, cfg.Companion = true, true
	store := &changingStore{Store: sandbox.New(cfg)}
	store.active.Store(true)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/fluentcart-gateway/v1") && !store.active.Load() {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		store.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	t.Cleanup(store.Close)
	store.url = server.URL
	return store
}

// change activates the companion, or deactivates it.
func (s *changingStore) change() {
	s.active.Store(!s.active.Load())
	s.SetCompanion(s.active.Load())
}

// writes is the number of writes in the way that is expected now.
func (s *changingStore) writes() (count int) {
	for _, write := range s.Writes() {
		if write.Atomic == s.active.Load() {
			count++
		}
	}
	return count
}
