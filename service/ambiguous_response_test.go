package service_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/history"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// A store may respond with an error after it has written, or with the same error without having written. The gateway
// verifies such a write: it neither reports it as rejected nor sends it twice.
func TestAmbiguousResponseToAWriteIsVerified(t *testing.T) {
	for _, row := range []struct {
		name     string
		status   int
		body     string
		customer bool // the store's own response to the write follows the body
	}{
		{"a 500 with the number 401 as code", 500, `{"code":401,"message":"CRM said no","data":null}`, false},
		{"a 500 with the number 403 as code", 500, `{"code":403,"message":"x","data":null}`, false},
		{"a 500 with the number 404 as code", 500, `{"code":404,"message":"x","data":null}`, false},
		{"a 500 with the number 429 as code", 500, `{"code":429,"message":"x","data":null}`, false},
		{"a 500 with a WordPress error of status 401", 500, `{"code":"rest_forbidden","message":"Sorry","data":{"status":401}}`, false},
		{"a 500 with a WordPress error of status 503", 500, `{"code":"wp_die","data":{"status":503}}`, false},
		{"a 502 with the number 400 as code", 502, `{"code":400,"message":"x"}`, false},
		{"a 500 with the number 400 as code before the customer", 500, `{"code":400,"message":"x"}`, true},
		{"a 403 of a request that died in WordPress", 403, `{"code":"wp_die","data":{"status":403}}`, false},
		{"a 429 with the customer", 429, ``, true},
		{"a 200 with the number 401 as code", 200, `{"code":401,"message":"x","data":null}`, false},
	} {
		for _, applied := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, applied: %t", row.name, applied), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					h := newHarness(t, setup{store: sandbox.Config{Customers: 1}, service: service.Config{SettleTime: 10 * time.Second}})
					h.transport.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						if r.Method == http.MethodGet {
							h.store.ServeHTTP(w, r)
							return
						}
						response := httptest.NewRecorder()
						if applied {
							h.store.ServeHTTP(response, r)
						}
						w.WriteHeader(row.status)
						_, _ = io.WriteString(w, row.body)
						if row.customer {
							_, _ = response.Body.WriteTo(w)
						}
					})
					got := h.update(contextEnding(t, byDeadline, 20*time.Second), 1, firstAddedCustomer, "city")
					h.finish(t)
					h.checkHistory(t)
					want := history.Written
					switch {
					case !applied && row.customer:
						want = history.NotWritten // without the customer the response is definitive
					case !applied:
						want = history.Unknown
					}
					if puts := len(h.transport.requestsWhere(func(r sentRequest) bool { return r.method == http.MethodPut })); got.Outcome != want || puts != 1 {
						t.Errorf("the call got %s, %s after %d writes were sent, want %v after 1", got.reason, got.state, puts, want)
					}
				})
			})
		}
	}
}

// A plugin may print an error before the response. The response decides.
func TestErrorPrintedBeforeASuccessIsIgnored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, setup{store: sandbox.Config{Customers: 1}})
		h.transport.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPut {
				_, _ = io.WriteString(w, `{"code":"rest_forbidden","message":"Sorry","data":{"status":401}}`)
			}
			h.store.ServeHTTP(w, r)
		})
		got := h.update(t.Context(), 1, firstAddedCustomer, "city")
		h.finish(t)
		h.checkHistory(t)
		if reads := len(h.transport.requestsWhere(func(r sentRequest) bool { return r.method == http.MethodGet })); got.Outcome != history.Written || reads != 1 {
			t.Errorf("the call got %s after %d reads, want success after 1", got.reason, reads)
		}
	})
}
