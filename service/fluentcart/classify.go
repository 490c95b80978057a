package fluentcart

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// refusal is the JSON of any error response: a WP_Error, FluentCart's own {code, message, data}, wp_die.
type refusal struct {
	Code    scalar         `json:"code"` // a word, or a number that stands for an HTTP status (F1)
	Message scalar         `json:"message"`
	Data    jsontext.Value `json:"data"`
	Errors  jsontext.Value `json:"errors"`
}

// scalar is a string or a number as text; other JSON is empty text.
type scalar string

// UnmarshalJSON accepts any JSON.
func (s *scalar) UnmarshalJSON(raw []byte) error {
	*s = scalar(shownText(raw))
	return nil
}

// isError reports whether the object is an error at all: an object inside a PHP warning that is printed in front of the
// response has none of these fields (F20). fieldErrors looks for the fields of a 422.
func (r refusal) isError() bool { return r.Code != "" || r.Message != "" || len(r.Errors) > 0 }

// classify returns nil for a response that holds a customer, and the Error of any other. It looks for the customer first:
// text printed around the customer is not the response (F20). The columns that the response does not have are taken from
// expected.
//
// The most specific status counts: a number in `code` before the `status` in `data` before the status line. Stores send
// 400 and 423 as a 500 with the number in the body (F1); later versions and proxies may send them in the status line, and
// all forms must mean the same. Whether the refusal of a write is definitive is decided in definitive.go.
func classify(r *response, expected *Customer) *Error {
	switch {
	case len(r.body) > maxBody:
		return r.error(BadAnswer, fmt.Errorf("response over %d bytes", maxBody))
	case r.status >= 300 && r.status < 400:
		return r.error(Redirected, nil)
	}
	switch holds := r.findCustomer(expected); {
	case holds && r.status == http.StatusOK:
		return nil
	case holds && r.method == http.MethodPut:
		return r.error(BadAnswer, fmt.Errorf("a customer under status %d", r.status))
	}
	body := findJSON(r.body, refusal.isError)
	bodyStatus := body.status()
	if status := cmp.Or(bodyStatus, r.status); status < 300 {
		if r.status == http.StatusOK {
			return r.error(BadAnswer, errors.New("no customer in the response"))
		}
		return r.error(BadAnswer, fmt.Errorf("unexpected status %d", r.status))
	}

	failure := r.error(kindOf(cmp.Or(bodyStatus, r.status), body), nil)
	failure.stated = failure.Kind
	if r.method == http.MethodPut && !r.definitive(body, bodyStatus) {
		failure.Kind = r.ambiguousKind()
	}
	failure.Code, failure.numbered = shownCode(string(body.Code)), isNumber(string(body.Code))
	switch failure.Kind {
	case Invalid:
		failure.Fields = fieldErrors(r.body)
	case RateLimited, Unavailable, Broken:
		failure.RetryAfter = retryAfter(r.header.Get("Retry-After"))
	}
	return failure
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
	if status >= 500 {
		return Broken
	}
	// 405, 413 and similar come from a proxy in front of the store, which did not pass the request on.
	return Refused
}

// status returns the status that the body states, or 0 if it states none.
func (r refusal) status() int {
	if number := r.number(); number >= 400 && number < 600 {
		return number
	}
	if r.Code == "" {
		return 0
	}
	var data struct {
		Status int `json:"status"`
	}
	if json.Unmarshal(r.Data, &data, tolerant) == nil && data.Status >= 400 && data.Status < 600 {
		return data.Status
	}
	return 0
}

// number returns the code if it is a number, as in FluentCart's own errors (F1), or 0 if it is a word.
func (r refusal) number() int {
	number, _ := strconv.Atoi(string(r.Code))
	return number
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
