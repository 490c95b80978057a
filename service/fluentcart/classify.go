package fluentcart

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// classify returns nil for a response that holds a customer, and the Error of any other. It looks for the customer first,
// because PHP may print other text around it (F20). A refusal beside the customer leaves the outcome of a write open (F25),
// and does not matter to a read. The columns that the response does not have are taken from expected.
//
// Whether the refusal of a write is definitive is decided in definitive.go.
func classify(r *response, expected *Customer) *Error {
	if len(r.body) > maxBody {
		return r.tooLong()
	}
	found, refused := r.findCustomer(expected)
	if found && r.status == http.StatusOK && (!refused || r.method == http.MethodGet) {
		if fault := r.customer.check(); fault != nil {
			return r.error(BadAnswer, fault)
		}
		return nil
	}
	body, count := refusalIn(r.body)
	if stated := r.stated(body); stated != nil {
		return r.refusalError(stated, body, count <= 1 && !found)
	}
	if r.status == http.StatusOK {
		return r.error(BadAnswer, errors.New("no customer in the response"))
	}
	return r.error(BadAnswer, fmt.Errorf("unexpected status %d", r.status))
}

// tooLong returns the Error of a response whose body is over maxBody. Of a refusal the status line says enough.
func (r *response) tooLong() *Error {
	r.body = nil
	if r.status < http.StatusMultipleChoices {
		return r.error(BadAnswer, fmt.Errorf("response over %d bytes", maxBody))
	}
	return r.refusalError(r.stated(refusal{}), refusal{}, false)
}

// refusalError returns the Error of a response that states a refusal. The refusal of a read stands as it is, and so does a
// definitive one of a write. Any other one of a write is Unconfirmed if a read can settle it, and Broken if not. alone says
// that the body holds nothing else that could be the response.
func (r *response) refusalError(stated *Error, body refusal, alone bool) *Error {
	if r.method != http.MethodPut || stated.Kind == Broken || alone && r.definitive(body) {
		return stated
	}
	failure := r.error(Broken, nil)
	if r.isSettledByRead(stated) {
		failure.Kind = Unconfirmed
	}
	failure.Code, failure.RetryAfter, failure.Refusal = stated.Code, stated.RetryAfter, stated
	return failure
}

// stated returns the refusal that the response states, or nil if it states none.
//
// The most specific status counts: a number in `code` before the `status` in `data` before the status line. Stores send
// 400 and 423 as a 500 with the number in the body (F1); later versions and proxies may send them in the status line, and
// all forms must mean the same.
func (r *response) stated(body refusal) *Error {
	status := r.statusOf(body)
	kind := kindOf(status, body)
	isPage := r.isPage(body)
	switch {
	case r.isBlocked(isPage, body):
		kind = Blocked
	case status < http.StatusMultipleChoices && (r.method != http.MethodPut || !isFalse(body.Success)): // a success
		return nil
	}
	failure := r.error(kind, nil)
	failure.Code, failure.FromWordPress = shownCode(string(body.Code)), body.fromWordPress()
	switch kind {
	case Unauthenticated:
		failure.IsPage = isPage
	case Invalid:
		failure.Fields = fieldErrors(r.body)
	case Blocked, MethodRefused:
		failure.Source, failure.RetryAfter = sourceOf(r.header), retryAfter(r.header.Get("Retry-After"))
	case RateLimited, Unavailable, Broken:
		failure.RetryAfter = retryAfter(r.header.Get("Retry-After"))
	}
	return failure
}

// statusOf returns the status that the response states. That in the body counts before that of the status line, except
//
//   - under a 3xx, 408 or 499, which a proxy sends;
//   - under a 400 or 423, which mean what is documented for them, unless the body has a 400, 422 or 423;
//   - under any other 4xx, if the body has a 408, a 499 or a 5xx, which contradicts it.
func (r *response) statusOf(body refusal) int {
	inBody := body.status()
	switch {
	case inBody == 0, r.status >= 300 && r.status < 400, r.status == http.StatusRequestTimeout, r.status == statusClientClosed:
		return r.status
	case r.status == http.StatusBadRequest || r.status == http.StatusLocked:
		if inBody != http.StatusUnprocessableEntity && inBody != http.StatusLocked && inBody != http.StatusBadRequest {
			return r.status
		}
	case r.status >= 400 && r.status < 500:
		if inBody >= 500 || inBody == http.StatusRequestTimeout || inBody == statusClientClosed {
			return r.status
		}
	}
	return inBody
}

// statusClientClosed is nginx's status for a client that closed the connection before the response.
const statusClientClosed = 499

func kindOf(status int, body refusal) Kind {
	switch status {
	case http.StatusBadRequest:
		return Rejected
	case http.StatusUnauthorized:
		return Unauthenticated
	case http.StatusForbidden:
		return Forbidden
	case http.StatusNotFound:
		if body.Code == codeNoCustomer {
			return NotFound
		}
		return NoRoute
	case http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return MethodRefused
	case http.StatusUnprocessableEntity:
		return Invalid
	case http.StatusLocked:
		return UserUpdateFailed
	case http.StatusTooManyRequests:
		return RateLimited
	case http.StatusServiceUnavailable:
		// WordPress's maintenance mode answers with its own code (F19). Any other 503 comes from a proxy in front of the
		// store that gave up, perhaps after it had passed the request on.
		if body.Code == codeDied {
			return Unavailable
		}
	case http.StatusRequestTimeout, statusClientClosed: // from a proxy, which may have passed the request on
		return Broken
	}
	switch {
	case status >= 500:
		return Broken
	case status >= 300 && status < 400:
		return Redirected
	}
	return Refused
}

// retryAfter reads the seconds or the date of a Retry-After header. It returns 0 for none, and at most one day.
func retryAfter(value string) time.Duration {
	var wait time.Duration
	if seconds, err := strconv.Atoi(strings.TrimSpace(value)); err == nil {
		wait = time.Duration(min(max(seconds, 0), 86400)) * time.Second
	} else if date, err := http.ParseTime(value); err == nil {
		wait = time.Until(date)
	}
	return min(max(wait, 0), 24*time.Hour)
}
