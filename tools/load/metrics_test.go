package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRequestsToTheStoreAreReadFromTheMetrics(t *testing.T) {
	const buildInfo = "# TYPE fluentcart_gateway_build_info gauge\nfluentcart_gateway_build_info{version=\"x\"} 1\n"
	for _, row := range []struct {
		name, body string
		status     int
		want       requests
		fault      string
	}{
		{"a gateway that has not called its store", buildInfo, http.StatusOK, requests{}, ""},
		{"all outcomes of a method", buildInfo + `# TYPE fluentcart_gateway_store_requests_total counter
fluentcart_gateway_store_requests_total{method="GET",outcome="customer_not_found"} 1
fluentcart_gateway_store_requests_total{method="GET",outcome="ok"} 1e+06
fluentcart_gateway_store_requests_total{method="PUT",outcome="ok"} 7
`, http.StatusOK, requests{"GET": 1_000_001, "PUT": 7}, ""},
		{"another program", "go_goroutines 7\n", http.StatusOK, nil, "has no metrics of a gateway"},
		{"a page", "<html>", http.StatusOK, nil, "/metrics: "},
		{"an error", "", http.StatusForbidden, nil, "/metrics: 403 Forbidden"},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/metrics" {
					t.Errorf("asked for %s", r.URL)
				}
				w.WriteHeader(row.status)
				_, _ = io.WriteString(w, row.body)
			}))
			defer server.Close()
			got, err := readMetrics(t.Context(), server.URL+"/")
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Error(diff)
			}
			if (err == nil) != (row.fault == "") || err != nil && !strings.Contains(err.Error(), row.fault) {
				t.Errorf("error %v, want %q", err, row.fault)
			}
		})
	}
}
