package fluentcart

import (
	"net/http"
	"strings"
)

// definitive reports whether a response that refuses a write says for certain that the store has written nothing.
// bodyStatus is the status that the body states, 0 if it states none.
//
// The danger is a failure after the write: WordPress notifies other plug-ins of it, and any of them may throw, exit or
// print (F25). So a refusal is definitive only where it cannot come from such a plug-in, or where it is one that the
// store was measured to give, or is documented to give, before it writes. Every other response is ambiguous: the caller
// then reads the customer to verify the write, which takes longer and is never wrong.
func (r *response) definitive(body refusal, bodyStatus int) bool {
	switch {
	case r.status < 300:
		// A warning that PHP prints first keeps it from setting the status line, so a refusal can arrive under 200,
		// without a customer (F20). Two are definitive: FluentCart's own, as under 500, and one of WordPress's REST API,
		// which checks credentials and routes before anything runs. The errors of other plug-ins may come at any time.
		return r.refusedByFluentCart(body) || bodyStatus < 500 && body.ofWordPress()
	case r.status == http.StatusInternalServerError:
		// WordPress checks the parameters, and answers 400, before it runs the handler of the route.
		return r.refusedByFluentCart(body) || bodyStatus == http.StatusBadRequest && body.ofWordPress()
	case r.status == http.StatusServiceUnavailable:
		// Maintenance mode sends Retry-After (F19), and WordPress checks for it before it loads any plug-in. A plug-in
		// that exits with 503 later does not know when to come back.
		return bodyStatus == http.StatusServiceUnavailable && body.Code == codeDied && r.header.Get("Retry-After") != ""
	case r.status >= 500:
		return false // from a proxy in between, which does not know
	case r.status == http.StatusRequestTimeout, r.status == statusClientClosed:
		return false
	case bodyStatus >= 500, body.Code == codeDied:
		// The body contradicts the status line; and code that ends by wp_die may do so at any time, with any status.
		return false
	}
	// The documentation and later versions use a status line of 4xx for a refusal, and so does a rate limiter or a
	// firewall in front of the store for a request that it does not pass on. The body may be more precise. The exceptions
	// that F25 lists, a 4xx that a plug-in sends after the write, cannot be distinguished here and count as refusals.
	return true
}

// codeDied is the code of every response that WordPress's wp_die makes.
const codeDied = "wp_die"

// ofWordPress reports whether the code is one of the REST API's own.
func (r refusal) ofWordPress() bool { return strings.HasPrefix(string(r.Code), "rest_") }

// refusedByFluentCart reports whether the body is a refusal that FluentCart was measured to give as a number in a 500
// (F1), or a list of field errors (F5). FluentCart gives other numbers too, but those belong to any exception, wherever it
// was thrown: a 401, for example, may come from a plug-in that was notified of the write and could not log in to another
// service.
func (r *response) refusedByFluentCart(body refusal) bool {
	switch body.number() {
	case http.StatusBadRequest, http.StatusLocked:
		return true
	case http.StatusUnprocessableEntity:
		return len(fieldErrors(r.body)) > 0
	}
	return false
}

// ambiguousKind returns the kind of a refusal that is not definitive.
func (r *response) ambiguousKind() Kind {
	if r.status >= 500 || r.status == http.StatusRequestTimeout || r.status == statusClientClosed {
		return Broken
	}
	return BadAnswer
}

// refusedBeforeDispatch reports whether the credentials were refused before WordPress ran the route: the status line is
// 401, and the code is not a number, which FluentCart gives to exceptions of any origin.
func (e *Error) refusedBeforeDispatch() bool {
	return e.Kind == Unauthenticated && e.Status == http.StatusUnauthorized && !e.numbered
}

func isNumber(code string) bool { return code != "" && strings.Trim(code, "0123456789") == "" }
