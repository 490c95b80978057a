package fluentcart

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// classify returns nil for a response that holds a customer, and the Error of any other. It looks for the customer first:
// text printed around the customer is not the response (F20). The columns that the response does not have are taken from
// expected.
//
// Whether the refusal of a write is definitive is decided in definitive.go.
func classify(r *response, expected *Customer) *Error {
	if len(r.body) > maxBody {
		failure := r.error(BadAnswer, fmt.Errorf("response over %d bytes", maxBody))
		if r.body = nil; r.status >= http.StatusMultipleChoices { // the status line says enough
			return r.ofMethod(r.stated(refusal{}), refusal{}, false)
		}
		return failure
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
		return r.ofMethod(stated, body, count <= 1 && !found)
	}
	if r.status == http.StatusOK {
		return r.error(BadAnswer, errors.New("no customer in the response"))
	}
	return r.error(BadAnswer, fmt.Errorf("unexpected status %d", r.status))
}

// ofMethod returns the Error of a response that states a refusal. That of a write may be Unconfirmed. alone says that the
// body holds nothing else that could be the response.
func (r *response) ofMethod(stated *Error, body refusal, alone bool) *Error {
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
	case status < http.StatusMultipleChoices && (r.method != http.MethodPut || !isFalse(body.Success)):
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

// statusOf returns the status that the response states. A real 400 or 423 means what is documented for it, unless the body
// has a more precise one of FluentCart's own.
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
		if body.Code == "fluent_cart_entity_not_found" {
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
	case http.StatusRequestTimeout, statusClientClosed: // from a proxy in between; says nothing about the store
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
