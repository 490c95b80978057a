package e2e

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// retriedCall is a call of a client with a retry policy. Without a request it changes the city of customer 1.
type retriedCall struct {
	name            string
	fail            func() func(*http.Request) *sandbox.Failure
	flags           []string
	read            bool
	request         string
	authorization   string
	timeout, cancel time.Duration
	// careless is a policy that retries every code.
	careless bool

	want     string        // code, reason and write state
	attempts string        // count, code and reason
	takes    time.Duration // at least; the policy's own backoff is 20 ms
}

const email = `{"customer_id":1,"customer":{"email":"%s"}}`

// retriedCalls end in each code that a gRPC client can get from the gateway. UNIMPLEMENTED is of JSON only.
var retriedCalls = []retriedCall{
	{name: "an update that succeeds", want: "OK", attempts: "1 OK"},
	{name: "a read that succeeds", read: true, want: "OK", attempts: "1 OK"},

	{name: "the read of an update fails", fail: on(http.MethodGet, answer(sandbox.FatalError())), want: "UNAVAILABLE STORE_UNAVAILABLE not_sent", attempts: "4 UNAVAILABLE STORE_UNAVAILABLE"},
	{name: "a read during maintenance", read: true, fail: on(http.MethodGet, answer(busy(http.StatusServiceUnavailable, "wp_die"))), want: "UNAVAILABLE STORE_UNAVAILABLE not_sent", attempts: "4 UNAVAILABLE STORE_UNAVAILABLE", takes: 3 * time.Second},
	{name: "maintenance for longer than any call", fail: on(http.MethodGet, answer(sandbox.Maintenance())), want: "UNAVAILABLE STORE_UNAVAILABLE not_sent", attempts: "1 UNAVAILABLE STORE_UNAVAILABLE"},
	{name: "a write during maintenance", fail: on(http.MethodPut, answer(busy(http.StatusServiceUnavailable, "wp_die"))), want: "UNAVAILABLE STORE_UNAVAILABLE rejected", attempts: "4 UNAVAILABLE STORE_UNAVAILABLE"},
	{name: "the first read fails", fail: atFirst(answer(sandbox.FatalError())), want: "OK", attempts: "1 OK, 1 UNAVAILABLE STORE_UNAVAILABLE"},
	{name: "leases are not available", flags: []string{"--redis-url=redis://127.0.0.1:1"}, want: "UNAVAILABLE LEASES_UNAVAILABLE not_sent", attempts: "4 UNAVAILABLE LEASES_UNAVAILABLE"},
	{name: "the store limits the rate", fail: on(http.MethodGet, answer(busy(http.StatusTooManyRequests, "too_many_requests"))), want: "RESOURCE_EXHAUSTED STORE_RATE_LIMITED not_sent", attempts: "4 RESOURCE_EXHAUSTED STORE_RATE_LIMITED"},

	{name: "a limit is broken", request: fmt.Sprintf(email, "ann"), want: "INVALID_ARGUMENT INVALID_FIELD not_sent", attempts: "1 INVALID_ARGUMENT INVALID_FIELD"},
	{name: "the store rejects the update", fail: on(http.MethodPut, answer(wordPressError(http.StatusBadRequest, "400"))), want: "INVALID_ARGUMENT STORE_REJECTED rejected", attempts: "1 INVALID_ARGUMENT STORE_REJECTED"},
	{name: "the store refuses a field", request: `{"customer_id":1,"customer":{"city":"<b>Lyon</b>"}}`, want: "INVALID_ARGUMENT STORE_VALIDATION rejected", attempts: "1 INVALID_ARGUMENT STORE_VALIDATION"},
	{name: "the address is in use", request: fmt.Sprintf(email, "bob@example.com"), want: "ALREADY_EXISTS EMAIL_TAKEN rejected", attempts: "1 ALREADY_EXISTS EMAIL_TAKEN"},
	{name: "the customer does not exist", request: `{"customer_id":99,"customer":{"city":"Lyon"}}`, want: "NOT_FOUND CUSTOMER_NOT_FOUND not_sent", attempts: "1 NOT_FOUND CUSTOMER_NOT_FOUND"},
	{name: "the linked user does not exist", request: `{"customer_id":3,"customer":{"city":"Lyon"}}`, want: "FAILED_PRECONDITION WORDPRESS_USER_UPDATE_FAILED rejected", attempts: "1 FAILED_PRECONDITION WORDPRESS_USER_UPDATE_FAILED"},
	{name: "the linked user owns the address", request: `{"customer_id":2,"customer":{"email":"new@example.com"}}`, want: "FAILED_PRECONDITION EMAIL_OWNED_BY_WORDPRESS_USER not_sent", attempts: "1 FAILED_PRECONDITION EMAIL_OWNED_BY_WORDPRESS_USER"},
	{name: "the plug-in is off", fail: on(http.MethodGet, answer(wordPressError(http.StatusNotFound, "rest_no_route"))), want: "FAILED_PRECONDITION STORE_ROUTE_MISSING not_sent", attempts: "1 FAILED_PRECONDITION STORE_ROUTE_MISSING"},
	{name: "the link may not be changed", request: `{"customer_id":1,"customer":{"user_id":3}}`, want: "PERMISSION_DENIED USER_LINK_CHANGE_FORBIDDEN not_sent", attempts: "1 PERMISSION_DENIED USER_LINK_CHANGE_FORBIDDEN"},
	{name: "the etag is old", request: `{"customer_id":1,"customer":{"city":"Lyon"},"etag":"old"}`, want: "ABORTED ETAG_MISMATCH not_sent", attempts: "1 ABORTED ETAG_MISMATCH"},
	{name: "no credentials", flags: []string{"--caller-auth=store"}, want: "UNAUTHENTICATED CALLER_UNAUTHENTICATED not_sent", attempts: "1 rejected CALLER_UNAUTHENTICATED"},
	{name: "wrong credentials", flags: []string{"--caller-auth=store"}, authorization: basic("nobody", "x"), want: "UNAUTHENTICATED STORE_UNAUTHENTICATED not_sent", attempts: "1 UNAUTHENTICATED STORE_UNAUTHENTICATED"},
	{name: "an account without the right", flags: []string{"--caller-auth=store"}, authorization: basic(sandbox.SubscriberUsername, sandbox.SubscriberPassword), want: "PERMISSION_DENIED STORE_FORBIDDEN not_sent", attempts: "1 PERMISSION_DENIED STORE_FORBIDDEN"},
	{name: "the store redirects", fail: on(http.MethodGet, answer(redirect())), want: "INTERNAL STORE_REDIRECTS not_sent", attempts: "1 INTERNAL STORE_REDIRECTS"},
	{name: "the store refuses the gateway", fail: on(http.MethodGet, answer(wordPressError(http.StatusUnauthorized, "rest_forbidden"))), want: "INTERNAL STORE_CREDENTIALS_REFUSED not_sent", attempts: "1 INTERNAL STORE_CREDENTIALS_REFUSED"},

	{name: "the caller cancels", cancel: 2 * time.Second, fail: on(http.MethodGet, silence()), want: "CANCELLED CALLER_CANCELLED not_sent", attempts: "1 CANCELLED CALLER_CANCELLED"},
	{name: "the deadline passes before the write", timeout: 2 * time.Second, fail: on(http.MethodGet, silence()), want: "DEADLINE_EXCEEDED DEADLINE_PASSED not_sent", attempts: "1 DEADLINE_EXCEEDED DEADLINE_PASSED"},
	{name: "the deadline passes after the write", timeout: 2 * time.Second, fail: on(http.MethodPut, silence()), want: "DEADLINE_EXCEEDED WRITE_OUTCOME_UNKNOWN unknown", attempts: "1 DEADLINE_EXCEEDED WRITE_OUTCOME_UNKNOWN"},
	{name: "nothing is known of the write", flags: quickFlags, fail: on(http.MethodPut, reset()), want: "UNKNOWN WRITE_OUTCOME_UNKNOWN unknown", attempts: "1 UNKNOWN WRITE_OUTCOME_UNKNOWN"},

	// Of a policy that retries too much, pushback is what prevents a second write.
	{name: "every code is retried, without pushback", careless: true, fail: on(http.MethodGet, answer(redirect())), want: "INTERNAL STORE_REDIRECTS not_sent", attempts: "4 INTERNAL STORE_REDIRECTS"},
	{name: "every code is retried, with pushback", careless: true, flags: quickFlags, fail: on(http.MethodPut, reset()), want: "UNKNOWN WRITE_OUTCOME_UNKNOWN unknown", attempts: "1 UNKNOWN WRITE_OUTCOME_UNKNOWN"},
}

// on injects a failure into each request of a method.
func on(method string, failure sandbox.Failure) func() func(*http.Request) *sandbox.Failure {
	return func() func(*http.Request) *sandbox.Failure {
		return func(r *http.Request) *sandbox.Failure {
			if r.Method != method {
				return nil
			}
			return &failure
		}
	}
}

// atFirst injects a failure into the first request.
func atFirst(failure sandbox.Failure) func() func(*http.Request) *sandbox.Failure {
	return func() func(*http.Request) *sandbox.Failure {
		var failed atomic.Bool
		return func(*http.Request) *sandbox.Failure {
			if failed.Swap(true) {
				return nil
			}
			return &failure
		}
	}
}

// answer is sent in the store's place.
func answer(response sandbox.Response) sandbox.Failure {
	return sandbox.Failure{Work: sandbox.Never, Instead: response}
}

func silence() sandbox.Failure {
	return sandbox.Failure{Work: sandbox.Never, Delivery: sandbox.Silent}
}

func reset() sandbox.Failure {
	return sandbox.Failure{Work: sandbox.Never, Delivery: sandbox.Reset}
}

func redirect() sandbox.Response {
	return sandbox.Response{Status: http.StatusMovedPermanently, Header: http.Header{"Location": {"https://shop.example.com/"}}}
}

func wordPressError(httpStatus int, code string) sandbox.Response {
	return sandbox.Response{
		Status: httpStatus, ContentType: "application/json",
		Body: fmt.Sprintf(`{"code":%q,"message":"refused","data":{"status":%d}}`, code, httpStatus),
	}
}

// busy asks to come back after a second.
func busy(httpStatus int, code string) sandbox.Response {
	response := wordPressError(httpStatus, code)
	response.Header = http.Header{"Retry-After": {"1"}}
	return response
}

func basic(username, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(username+":"+password))
}
