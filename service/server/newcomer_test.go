package server_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/server/connlimit"
)

// During a flood of idle connections from one host, a newcomer of another host is served, and what was evicted for it is
// counted and logged.
func TestNewcomerIsServedDuringAFloodOfAnotherHost(t *testing.T) {
	t.Parallel() // newcomers wait
	g := startMeasured(t, nil)
	flooding := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	for _, address := range []string{g.conn.Target(), strings.TrimPrefix(g.url, "http://")} {
		for range 2 * connlimit.MaxUnauthenticated {
			conn, err := flooding.DialContext(t.Context(), "tcp", address)
			if err != nil {
				t.Skipf("no second address on loopback: %v", err)
			}
			defer func() { _ = conn.Close() }()
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := g.grpc.UpdateCustomer(ctx, moveTo(1, "Lyon")); err != nil {
		t.Errorf("over gRPC: %v", err)
	}
	newcomer := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	if err := putOnce(ctx, newcomer, g.url, ""); err != nil {
		t.Errorf("over JSON: %v", err)
	}
	g.stopNow(t) // a newcomer may be served before the eviction is counted
	values, _ := gathered(t, g.metrics)
	for _, transport := range []string{"grpc", "http"} {
		if n := values["connections_evicted_total reason=table_full transport="+transport]; n == 0 {
			t.Errorf("%s: no eviction is counted", transport)
		}
	}
	log := g.log.String()
	if n := strings.Count(log, `"msg":"connection evicted"`); n == 0 || n > 40 {
		t.Errorf("%d lines about evictions, want one a second for each transport", n)
	}
	if !strings.Contains(log, `"peer":"127.0.0.2:`) {
		t.Errorf("the log does not name the host:\n%s", log)
	}
}
