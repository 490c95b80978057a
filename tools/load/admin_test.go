package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
)

func TestStoreOfARunningGatewayIsCountedByItsMetrics(t *testing.T) {
	for _, row := range []struct {
		name   string
		broken bool // after the first scrape
		want   string
		fault  string
	}{
		{"metrics before and after", false, "The store got 30 GET and 30 PUT (counted by the metrics of the gateway, which include other callers): 2.00 requests for each OK.", ""},
		{"an admin server that has gone", true, "What reached the store is not known", "/metrics: 503"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := &server{update: func(_ context.Context, _ int64, request *customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error) {
				return applied(request), nil
			}}
			var scrapes atomic.Int64
			admin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if scrapes.Add(1) > 1 && row.broken {
					http.Error(w, "gone", http.StatusServiceUnavailable)
					return
				}
				fmt.Fprintln(w, "fluentcart_gateway_build_info 1")
				fmt.Fprintln(w, "# TYPE fluentcart_gateway_store_requests_total counter")
				for _, method := range []string{"GET", "PUT"} {
					fmt.Fprintf(w, "fluentcart_gateway_store_requests_total{method=%q} %d\n", method, s.calls.Load())
				}
			}))
			defer admin.Close()
			stdout, _, err := load(t.Context(), t, "-addr", s.serve(t), "-admin", admin.URL, "-customers=1", "-calls=30")
			if !strings.Contains(stdout, "30 calls in") || !strings.Contains(stdout, row.want) {
				t.Errorf("no %q in:\n%s", row.want, stdout)
			}
			if (err == nil) != (row.fault == "") || err != nil && !strings.Contains(err.Error(), row.fault) {
				t.Errorf("error %v, want %q", err, row.fault)
			}
		})
	}
}
