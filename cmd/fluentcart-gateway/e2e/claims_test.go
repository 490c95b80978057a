package e2e

import (
	"testing"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/history"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease/redistest"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// quickFlags make timeouts and leases short, so that a test sees many of them. A lease allows a write to begin for 600 ms,
// and the store may apply this write for another 1.5 s.
var quickFlags = []string{"--get-timeout=300ms", "--put-timeout=400ms", "--write-settle-time=1500ms", "--drain-timeout=3s"}

const quickHold = 600*time.Millisecond + 1500*time.Millisecond

// 500 callers update 100 customers through three gateways, in front of a store that fails one in twenty requests in random
// ways: every claim of the gateway about a write is true, and no update is reverted.
func TestEveryClaimIsTrueInAStorm(t *testing.T) {
	lasting := 15 * time.Second
	if soaking(t) {
		lasting = time.Minute
	}
	store, url := startStore(t, sandbox.Config{Latency: 5 * time.Millisecond, Customers: 100, Fail: failSome(0.05)})
	redis := redistest.Start(t)
	var gateways []*process
	for range 3 {
		gateways = append(gateways, startGateway(t, url, append(quickFlags, "--redis-url="+redis.URL, "--max-queue=1000", "--max-in-flight=16")...))
	}
	s := newStorm(store)
	warmUp(t, s, gateways, 1001, 15*time.Second)
	s.run(t.Context(), 500, ids(100), func() *process { return pick(gateways) }, lasting)
	for _, gateway := range gateways {
		if code := gateway.stop(); code != 0 {
			t.Errorf("a gateway ended with %d: %s", code, gateway.log)
		}
	}
	s.judge(t, store)
	if counts := s.counts(); counts[history.Written] < 1000 || counts[history.Unknown] == 0 || counts[history.NotWritten] == 0 {
		t.Errorf("too few calls of one outcome: %v", counts)
	}
}
