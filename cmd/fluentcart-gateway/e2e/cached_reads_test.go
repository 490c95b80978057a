package e2e

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/status"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/history"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// A read from a cache would put back what the write before it has changed (F29). Two callers update one customer at the same
// time, twenty times: either all of it is kept, or the refusals name the cache.
func TestNoUpdateIsRevertedBehindACache(t *testing.T) {
	for _, row := range []struct {
		name    string
		cache   sandbox.CacheConfig
		refuses bool
	}{
		{"a cache that honors the request's headers", sandbox.CacheConfig{PathOnly: true, HonorNoCache: true}, false},
		{"a cache that ignores the request's headers", sandbox.CacheConfig{}, false},
		{"a cache by path that marks its hits", sandbox.CacheConfig{PathOnly: true, HitHeader: http.Header{"X-Cache": {"HIT"}}}, true},
		{"a cache by path that gives the age of its hits", sandbox.CacheConfig{PathOnly: true, Age: true, HitHeader: http.Header{"CF-Cache-Status": {"HIT"}}}, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			store, url := startStore(t, sandbox.Config{Latency: time.Millisecond, Customers: 1, Cache: &row.cache})
			gateway := startGateway(t, url)
			s := newStorm(store)
			for range 20 {
				var both sync.WaitGroup
				for _, over := range []customerv1.CustomerServiceClient{gateway.customers, gateway.overJSON} {
					both.Go(func() {
						ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
						defer cancel()
						call := s.update(ctx, over, 1001)
						refused := row.refuses && strings.HasSuffix(call.Code, " STORE_BAD_ANSWER")
						if call.Outcome != history.Written && !refused {
							t.Errorf("%s", call)
						}
					})
				}
				both.Wait()
			}
			s.judge(t, store)
			if !row.refuses {
				return
			}
			_, err := gateway.customers.UpdateCustomer(t.Context(), cityOf(1001))
			if err == nil || !strings.Contains(status.Convert(err).Message(), "cache") {
				t.Errorf("the refusal does not name the cache: %v", err)
			}
		})
	}
}
