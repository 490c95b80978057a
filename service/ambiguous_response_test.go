package service_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
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
		refuses  bool // an unchanged customer shows that the write was refused
	}{
		{"a 500 with the number 401 as code", 500, `{"code":401,"message":"CRM said no","data":null}`, false, false},
		{"a 500 with the number 403 as code", 500, `{"code":403,"message":"x","data":null}`, false, false},
		{"a 500 with the number 404 as code", 500, `{"code":404,"message":"x","data":null}`, false, false},
		{"a 500 with the number 429 as code", 500, `{"code":429,"message":"x","data":null}`, false, false},
		{"a 500 with a WordPress error of status 401", 500, `{"code":"rest_forbidden","message":"Sorry","data":{"status":401}}`, false, false},
		{"a 500 with a WordPress error of status 503", 500, `{"code":"wp_die","data":{"status":503}}`, false, false},
		{"a 502 with the number 400 as code", 502, `{"code":400,"message":"x"}`, false, false},
		{"a 200 with an empty body", 200, ``, false, false},
		{"a 200 with an id", 200, `{"data":{"id":1001}}`, false, false},
		{"a 201", 201, ``, true, false},
		{"a 500 with the number 400 as code before the customer", 500, `{"code":400,"message":"x"}`, true, true},
		{"a 500 with the fields of a 422", 500, `{"code":422,"errors":{"email":{"exist":"x"}}}`, false, true},
		{"a 403 of a request that died in WordPress", 403, `{"code":"wp_die","data":{"status":403}}`, false, true},
		{"a 429 with the customer", 429, ``, true, true},
		{"a 200 with the number 401 as code", 200, `{"code":401,"message":"x","data":null}`, false, true},
		{"a 200 with an id and a refusal", 200, `{"data":{"id":1001}}{"code":423,"message":"no","data":null}`, false, true},
		{"a refusal behind a customer", 200, `{"data":{"id":1001,"email":"a@example.com","first_name":"A"}}{"code":"crm","message":"no","data":{"status":409}}`, false, true},
		{"a page under 200", 200, `<!DOCTYPE html><html><body>Are you human?</body></html>`, false, true},
		{"a page under 202", 202, `<html><body>Checking</body></html>`, false, true},
		{"a prompt page under 503", 503, `<html><body>blocked</body></html>`, false, true},
		{"a 400 of a plug-in", 400, `{"success":false,"data":"x"}`, false, true},
		{"an empty 400", 400, ``, false, true},
		{"a 423 with a page", 423, `<html>locked</html>`, false, true},
		{"a 422 of a plug-in", 422, `{"success":false,"data":{"email":"x"}}`, false, true},
		{"a 301", 301, ``, false, true},
		{"a 302", 302, ``, false, true},
		{"a 304", 304, ``, false, true},
		{"a 404 with a page", 404, `<html>not found</html>`, false, true},
		{"a 404 of another route", 404, `{"code":"crm_not_found","message":"x","data":{"status":404}}`, false, true},
		{"a 403 with a page", 403, `<html>blocked</html>`, false, true},
		{"a 401 with a page", 401, `<html>password</html>`, false, true},
		{"a 405", 405, ``, false, true},
		{"a 406", 406, ``, false, true},
		{"a 409", 409, `{"message":"x"}`, false, true},
		{"a 418", 418, `short and stout`, false, true},
		{"a 429", 429, ``, false, true},
		{"a 451", 451, `{}`, false, true},
		{"a 501", 501, ``, false, true},
	} {
		for _, applied := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, applied: %t", row.name, applied), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					h := newHarness(t, setup{store: sandbox.Config{Customers: 1}, service: service.Config{SettleTime: 10 * time.Second}})
					h.answerWrites(applied, func(w http.ResponseWriter, own string) {
						w.WriteHeader(row.status)
						_, _ = io.WriteString(w, row.body)
						if row.customer {
							_, _ = io.WriteString(w, own)
						}
					})
					got := h.update(contextEnding(t, byDeadline, 20*time.Second), 1, firstAddedCustomer, "city")
					h.finish(t)
					h.checkHistory(t)
					want := history.Written
					switch {
					case !applied && row.refuses:
						want = history.NotWritten
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

// A plug-in may print an error before the response. A read decides.
func TestErrorPrintedBeforeASuccessIsVerified(t *testing.T) {
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
		if reads := len(h.transport.requestsWhere(func(r sentRequest) bool { return r.method == http.MethodGet })); got.Outcome != history.Written || reads != 2 {
			t.Errorf("the call got %s after %d reads, want success after 2", got.reason, reads)
		}
	})
}

// A success counts only if it shows the write. %s in a body stands for the response of the store itself.
func TestSuccessOfAWriteIsBelievedOnlyIfItShowsTheWrite(t *testing.T) {
	const (
		columns    = `"id":1001,"user_id":null,"email":"customer1001@example.com","first_name":"A","last_name":"B","state":"","country":"","postcode":"","status":"active","notes":"","aov":null`
		before     = `{"message":"ok","data":{` + columns + `,"city":"Start"}}`
		documented = `{"message":"ok","data":{"id":1001,"email":"a@example.com","first_name":"A","last_name":"B"}}`
	)
	for _, row := range []struct {
		name    string
		body    string
		applied bool
		want    history.Outcome
		reads   int
	}{
		{"the customer", `%s`, true, history.Written, 1},
		{"the customer behind a style sheet", `<style>` + strings.Repeat(`a { color: red } `, 200) + `</style>%s`, true, history.Written, 1},
		{"the customer behind scripts", strings.Repeat(`<script>var x = {"a": {"b": {}}, c: {}};</script>`, 100) + `%s`, true, history.Written, 1},
		{"the customer between texts with braces", strings.Repeat(`{`, 500) + `%s` + strings.Repeat(`{"`, 500), true, history.Written, 1},
		{"the customer as before, in front of the customer", before + `%s`, true, history.Written, 1},
		{"the customer as before, alone", before, true, history.Written, 2},
		{"the documented fields", documented, true, history.Written, 1},
		{"the customer behind a refusal", `{"code":400,"message":"x","data":null}%s`, true, history.Written, 2},
		{"the customer in front of a refusal", `%s{"code":"crm","data":{"status":500}}`, true, history.Written, 2},
		{"an id and a refusal, with nothing written", `{"data":{"id":1001}}{"code":423,"message":"no","data":null}`, false, history.NotWritten, 2},
		{"a success without a customer", `{"message":"Customer updated successfully!"}`, true, history.Written, 2},
		{"an empty list", `[]`, true, history.Written, 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHarness(t, setup{store: sandbox.Config{Customers: 1}, service: service.Config{SettleTime: 10 * time.Second}})
				h.answerWrites(row.applied, func(w http.ResponseWriter, own string) {
					_, _ = io.WriteString(w, strings.Replace(row.body, "%s", own, 1))
				})
				got := h.update(t.Context(), 1, firstAddedCustomer, "city")
				h.finish(t)
				h.checkHistory(t)
				reads := len(h.transport.requestsWhere(func(r sentRequest) bool { return r.method == http.MethodGet }))
				if got.Outcome != row.want || reads != row.reads {
					t.Errorf("the call got %s, %s (%v) after %d reads, want %v after %d", got.reason, got.state, got.Outcome, reads, row.want, row.reads)
				}
			})
		})
	}
}

// answerWrites lets answer respond to each write in place of the store, which applies the write before, or never sees it.
// own is what the store itself has responded.
func (h *harness) answerWrites(applied bool, answer func(w http.ResponseWriter, own string)) {
	h.transport.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			h.store.ServeHTTP(w, r)
			return
		}
		response := httptest.NewRecorder()
		if applied {
			h.store.ServeHTTP(response, r)
		}
		answer(w, response.Body.String())
	})
}
