package fluentcart

import (
	"net/http"
	"time"
)

// definitive reports whether a response that refuses a write says for certain that the store has written nothing.
//
// The danger is a failure after the write: WordPress notifies other plug-ins of it, and any of them may throw, exit or
// print; and a firewall may inspect the response (F25). So a refusal is definitive only in a form that the store was
// measured to give before it writes: FluentCart's own JSON (F1, F5), an error that WordPress gives before it dispatches, and
// maintenance mode, which WordPress checks before it loads any plug-in (F19). A plug-in that copies one of them is believed.
// Every other response is ambiguous: a read of the customer then says what became of the write.
func (r *response) definitive(body refusal) bool {
	switch r.status {
	case http.StatusInternalServerError:
		number := body.number()
		return (number == http.StatusBadRequest || number == http.StatusLocked) && !body.hasData()
	case http.StatusUnprocessableEntity:
		return areOfCustomer(fieldErrors(r.body))
	case http.StatusServiceUnavailable: // a plug-in that exits with 503 does not know when to come back
		return body.Code == codeDied && body.dataStatus() == r.status && r.header.Get("Retry-After") != ""
	}
	return body.beforeDispatch(r.status)
}

// areOfCustomer reports whether the list of field errors is one of FluentCart's about a customer: fields and rules that it
// was measured to name (F5). Fields with messages only, as the documentation shows them, are what other plug-ins send too.
func areOfCustomer(list []FieldError) bool {
	for _, violation := range list {
		if violation.Field == other || violation.Rule == other {
			return false
		}
	}
	return len(list) > 0
}

// maxPromptPage is the time within which a page with status 503 must come so that a read can settle the write. A proxy that
// gives up waiting for the store sends such a page too, and PHP may then still apply the write (F22). But proxies wait for
// several seconds first: a page that comes sooner shows that PHP did not get the request, or has ended it.
const maxPromptPage = time.Second

// isSettledByRead reports whether a later read that shows the customer unchanged proves that the write was refused. That is
// so if PHP had ended the request when the response was made, or never got it: under every 3xx and 4xx (but 408 and 499,
// which are Broken), and under a 2xx that holds a page, or a refusal whose status a PHP warning has prevented (F20). A 5xx
// may come from a proxy that gave up waiting, and then the write may still be applied (F22).
func (r *response) isSettledByRead(stated *Error) bool {
	switch r.status {
	case http.StatusInternalServerError: // 400, 422 and 423 in it are FluentCart's (F1); any code may throw another number
		return stated.Kind == Rejected || stated.Kind == Invalid || stated.Kind == UserUpdateFailed
	case http.StatusNotImplemented:
		return true
	case http.StatusServiceUnavailable:
		return stated.Kind == Blocked && time.Since(r.began) < maxPromptPage
	}
	return r.status < 500
}

// refusedBeforeDispatch reports whether the credentials were refused before WordPress ran the route, so that the same
// request may be sent again with others.
func (e *Error) refusedBeforeDispatch() bool {
	return e.Kind == Unauthenticated && e.Status == http.StatusUnauthorized
}
