package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease/redistest"
)

// leaseWatch looks into Redis whenever a write reaches the store: some gateway must hold that customer's lease. While
// Redis is lost, and for the term of a lease after that, it may have forgotten the lease. Then the write must come from a
// lease that was given before.
type leaseWatch struct {
	client *redis.Client
	prefix string

	mu       sync.Mutex
	watching bool
	excuse   time.Time // until then a write may come without a visible lease
	lost     bool
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

// quickTerm is how long a lease allows a write to begin, and some time for the write to arrive.
const quickTerm = 600*time.Millisecond + 300*time.Millisecond

// redisLost says that the leases so far are not visible any more.
func (w *leaseWatch) redisLost() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lost, w.excuse = true, time.Now().Add(quickTerm)
}

// redisBack says that Redis works again: every lease from now on is visible.
func (w *leaseWatch) redisBack() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lost = false
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
	if time.Now().Before(w.excuse) { // Redis was lost meanwhile
		return
	}
	w.seen++
	switch {
	case err != nil && w.lost:
		w.without = append(w.without, fmt.Sprintf("at %s customer %s was written, long after Redis was lost", time.Now().Format("15:04:05.000"), customer))
	case err == nil && held == 0:
		w.without = append(w.without, fmt.Sprintf("at %s customer %s was written, without a lease", time.Now().Format("15:04:05.000"), customer))
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
	t.Logf("%d writes had a lease", w.seen-len(w.without))
}
