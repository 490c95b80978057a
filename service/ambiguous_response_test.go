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

// A store that writes and then says no is found out, and so is one that does not write and says the same: neither is
// told as refused, and nothing is sent twice.
func TestWhatTheStoreSaysAfterTheWriteIsFoundOut(t *testing.T) {
	for _, row := range []struct {
		name     string
		status   int
		body     string // in front of the answer to the write, where that is in it
		answered bool
	}{
		{"401 as a number in a 500", 500, `{"code":401,"message":"CRM said no","data":null}`, false},
		{"403 as a number in a 500", 500, `{"code":403,"message":"x","data":null}`, false},
		{"404 as a number in a 500", 500, `{"code":404,"message":"x","data":null}`, false},
		{"429 as a number in a 500", 500, `{"code":429,"message":"x","data":null}`, false},
		{"401 of WordPress in a 500", 500, `{"code":"rest_forbidden","message":"Sorry","data":{"status":401}}`, false},
		{"503 of WordPress in a 500", 500, `{"code":"wp_die","data":{"status":503}}`, false},
		{"400 in a 502", 502, `{"code":400,"message":"x"}`, false},
		{"400 in front of the customer in a 500", 500, `{"code":400,"message":"x"}`, true},
		{"403 of what died on the way", 403, `{"code":"wp_die","data":{"status":403}}`, false},
		{"429 with the customer", 429, ``, true},
		{"401 as a number under 200", 200, `{"code":401,"message":"x","data":null}`, false},
	} {
		for _, writes := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, written: %t", row.name, writes), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					h := newHarness(t, setup{store: sandbox.Config{Customers: 1}, service: service.Config{SettleTime: 10 * time.Second}})
					h.transport.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						if r.Method == http.MethodGet {
							h.store.ServeHTTP(w, r)
							return
						}
						answer := httptest.NewRecorder()
						if writes {
							h.store.ServeHTTP(answer, r)
						}
						w.WriteHeader(row.status)
						_, _ = io.WriteString(w, row.body)
						if row.answered {
							_, _ = answer.Body.WriteTo(w)
						}
					})
					got := h.update(contextEnding(t, byDeadline, 20*time.Second), 1, firstAddedCustomer, "city")
					h.finish(t)
					h.checkHistory(t)
					want := history.Written
					switch {
					case !writes && row.answered:
						want = history.NotWritten // without a customer it is an ordinary refusal
					case !writes:
						want = history.Unknown
					}
					if puts := len(h.transport.requestsWhere(func(r sentRequest) bool { return r.method == http.MethodPut })); got.Outcome != want || puts != 1 {
						t.Errorf("told %s, %s after %d writes were sent, want %v", got.reason, got.state, puts, want)
					}
				})
			})
		}
	}
}

// An error that is printed in front of the success is not the answer.
func TestErrorPrintedInFrontOfTheSuccess(t *testing.T) {
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
			t.Errorf("told %s after %d reads", got.reason, reads)
		}
	})
}
