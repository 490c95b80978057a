package faults

import (
	"net/http"
	"strconv"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// kind is a fault that can be set by its name.
type kind struct {
	name     string
	on       string // the requests that it is for if nothing else is asked for
	does     string
	defaults parameters
	failure  func(parameters) sandbox.Failure
}

// parameters are durations. Every kind takes a delay, and each of the others if its default is not 0.
type parameters struct {
	delay, appliedAfter, retryAfter time.Duration
}

// The values of "on".
const (
	onRead   = "read"
	onWrite  = "write"  // FluentCart's PUT, and the companion's POST
	onCancel = "cancel" // the companion's DELETE
	onBoth   = "both"   // reads and writes, and cancellations with them
)

// catalogue lists the kinds in the order in which they are shown. Those on writes come first.
func catalogue() []kind {
	return []kind{
		{name: "rejected", on: onWrite, does: "400: the store rejects the write", failure: refuse(sandbox.Rejected())},
		{name: "validation_failed", on: onWrite, does: "422 for the city", failure: refuse(sandbox.ValidationFailed())},
		{name: "email_taken", on: onWrite, does: "422: the e-mail address is another customer's", failure: refuse(sandbox.EmailTaken())},
		{name: "user_update_failed", on: onWrite, does: "423: the linked WordPress user cannot be updated", failure: refuse(sandbox.UserUpdateFailed())},
		{name: "connection_reset", on: onWrite, does: "the connection is reset, and nothing is written", failure: always(sandbox.Failure{
			Work: sandbox.Never, Delivery: sandbox.Reset,
		})},
		{name: "connection_reset_after_write", on: onWrite, does: "the write is applied, then the connection is reset", failure: always(sandbox.Failure{
			Delivery: sandbox.Reset,
		})},
		{name: "fatal_error_after_write", on: onWrite, does: "the write is applied, then PHP dies: 500", failure: always(sandbox.Failure{
			Instead: sandbox.FatalError(),
		})},
		{name: "late_write", on: onWrite, does: "no response; the write is applied later", defaults: parameters{appliedAfter: 15 * time.Second}, failure: func(p parameters) sandbox.Failure {
			return sandbox.Failure{Work: sandbox.Late, LateBy: p.appliedAfter, Delivery: sandbox.Silent}
		}},
		{name: "gateway_timeout", on: onWrite, does: "504 of the web server; the write is applied later", defaults: parameters{appliedAfter: 5 * time.Second}, failure: func(p parameters) sandbox.Failure {
			return sandbox.Failure{Work: sandbox.Late, LateBy: p.appliedAfter}
		}},
		{name: "hang", on: onWrite, does: "no response, and nothing is written", failure: always(sandbox.Failure{
			Work: sandbox.Never, Delivery: sandbox.Silent,
		})},

		{name: "customer_missing", on: onRead, does: "404: there is no such customer", failure: respond(sandbox.CustomerMissing())},
		{name: "route_missing", on: onRead, does: "404: FluentCart is switched off", failure: respond(sandbox.RouteMissing())},
		{name: "credentials_refused", on: onRead, does: "401: the password is wrong", failure: respond(sandbox.Unauthorized())},
		{name: "credentials_forbidden", on: onRead, does: "403: the account may not manage customers", failure: respond(sandbox.Forbidden())},
		{name: "redirect", on: onRead, does: "301 to another host", failure: respond(
			sandbox.Redirect(http.StatusMovedPermanently, "https://www.shop.example/wp-json/"),
		)},
		{name: "cached_read", on: onRead, does: "the response says that it comes from a cache", failure: always(sandbox.Failure{
			Header: http.Header{"Age": {"60"}, "X-Cache": {"HIT"}},
		})},
		{name: "not_json", on: onRead, does: "200 with a text in place of JSON; a write is applied before it", failure: always(sandbox.Failure{
			Instead: sandbox.Response{Status: http.StatusOK, ContentType: "text/plain", Body: "It works!\n"},
		})},
		{name: "truncated", on: onRead, does: "the connection ends after half of the response; a write is applied before it", failure: always(sandbox.Failure{
			Delivery: sandbox.Truncated,
		})},

		{name: "slow", on: onBoth, does: "the response comes late", defaults: parameters{delay: 3 * time.Second}, failure: always(sandbox.Failure{})},
		{name: "rate_limited", on: onBoth, does: "429 with Retry-After", defaults: parameters{retryAfter: 30 * time.Second}, failure: func(p parameters) sandbox.Failure {
			return retryLater(sandbox.TooManyRequests(), p)
		}},
		{name: "maintenance", on: onBoth, does: "503 with Retry-After", defaults: parameters{retryAfter: 30 * time.Second}, failure: func(p parameters) sandbox.Failure {
			return retryLater(sandbox.Maintenance(), p)
		}},
		{name: "firewall", on: onBoth, does: "403 with the HTML page of a firewall", failure: respond(sandbox.ModSecurity(http.StatusForbidden))},
		{name: "down", on: onBoth, does: "502 of the web server: PHP is down", failure: respond(sandbox.BadGateway())},
	}
}

// respond sends a response in the store's place; nothing is written.
func respond(response sandbox.Response) func(parameters) sandbox.Failure {
	return always(sandbox.Failure{Work: sandbox.Never, Instead: response})
}

// refuse refuses a write as FluentCart does; nothing is written.
func refuse(refusal sandbox.Response) func(parameters) sandbox.Failure {
	return always(sandbox.Failure{Refusal: refusal})
}

func always(failure sandbox.Failure) func(parameters) sandbox.Failure {
	return func(parameters) sandbox.Failure { return failure }
}

func retryLater(response sandbox.Response, p parameters) sandbox.Failure {
	response.Header = http.Header{"Retry-After": {strconv.Itoa(int(p.retryAfter.Seconds()))}}
	return sandbox.Failure{Work: sandbox.Never, Instead: response}
}
