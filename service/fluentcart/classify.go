package fluentcart

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// refusal is any JSON the store says no with: a WP_Error, FluentCart's own {code, message, data}, wp_die.
type refusal struct {
	Code    text            `json:"code"` // a word, or a number that stands for an HTTP status (F1)
	Message text            `json:"message"`
	Data    json.RawMessage `json:"data"`
	Errors  json.RawMessage `json:"errors"`
}

// says reports whether there is anything in it: an object in a PHP warning in front of the answer has nothing
// (F20). The fields of a 422 are looked for by fieldErrors.
func (r refusal) says() bool { return r.Code != "" || r.Message != "" || len(r.Errors) > 0 }

// classify returns nil for an answer that holds a customer, else what the store says. The customer is looked for first:
// what is printed around it is not the answer (F20).
//
// The status that counts is the most particular one: a number in `code` before the `status` in `data` before
// the status line. Stores answer 400 and 423 as a 500 with the number in the body (F1); later versions and
// proxies may answer them plainly, and all forms must mean the same. What a refusal of a write must have besides to be
// believed is in believable.go.
func classify(a *answer) *Error {
	if a.status >= 300 && a.status < 400 {
		return a.error(Redirected, nil)
	}
	switch holds := a.findCustomer(); {
	case holds && a.status == http.StatusOK:
		return nil
	case holds && a.method == http.MethodPut:
		return a.error(BadAnswer, fmt.Errorf("a customer under status %d", a.status))
	}
	body, _ := findJSON(a.body, refusal.says)
	said := body.status()
	if status := cmp.Or(said, a.status); status < 300 {
		if a.status == http.StatusOK {
			return a.error(BadAnswer, errors.New("no customer in the answer"))
		}
		return a.error(BadAnswer, fmt.Errorf("unexpected status %d", a.status))
	}

	failure := a.error(kindOf(cmp.Or(said, a.status), body), nil)
	failure.said = failure.Kind
	if a.method == http.MethodPut && !a.believable(body, said) {
		failure.Kind = a.doubtful()
	}
	failure.Code = codeOf(string(body.Code))
	switch failure.Kind {
	case Rejected, UserUpdateFailed:
		failure.Message = plainMessage(string(body.Message))
	case Invalid:
		failure.Fields = fieldErrors(a.body)
		failure.Message = plainMessage(string(body.Message))
	case RateLimited, Unavailable, Broken:
		failure.RetryAfter = retryAfter(a.header.Get("Retry-After"))
	}
	return failure
}

// statusClientClosed is nginx's word for a client that did not wait.
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
		// WordPress in maintenance says so in its own words (F19). Any others are those of what stands in front of the
		// store and gave up, perhaps after it had passed the request on.
		if body.Code == "wp_die" {
			return Unavailable
		}
	case http.StatusRequestTimeout, statusClientClosed: // of somebody in between, who says nothing about the store
		return Broken
	}
	if status >= 500 {
		return Broken
	}
	// 405, 413 and the like come from something in front of the store, which did not pass the request on.
	return Refused
}

// status reads the status out of the body; 0 is none.
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
	if json.Unmarshal(r.Data, &data) == nil && data.Status >= 400 && data.Status < 600 {
		return data.Status
	}
	return 0
}

// number is the code where that is a number, as in what FluentCart itself says; 0 where it is a word.
func (r refusal) number() int {
	number, _ := strconv.Atoi(string(r.Code))
	return number
}

// retryAfter reads the header's seconds or date; 0 is none. More than a day is taken as a day.
func retryAfter(value string) time.Duration {
	var wait time.Duration
	if seconds, err := strconv.Atoi(strings.TrimSpace(value)); err == nil {
		wait = time.Duration(min(seconds, 86400)) * time.Second
	} else if date, err := http.ParseTime(value); err == nil {
		wait = time.Until(date)
	}
	return min(max(wait, 0), 24*time.Hour)
}
