package fluentcart

import (
	"net/http"
	"strings"
)

// believable reports whether the store can be believed that it refused a write, and so has written nothing. said is the
// status in the body, 0 if there is none.
//
// The danger is what fails after the write: other plug-ins are told of it, and any of them may throw, die or print. So
// a refusal counts only where it cannot come from there, or is what the store was measured or is documented to say
// before it writes. All else leaves open what became of the write, which is then found out by reading: that takes longer,
// and is never a lie.
func (a *answer) believable(body refusal, said int) bool {
	switch {
	case a.status < 300:
		// A warning that is printed first keeps PHP from setting the status line, so a refusal under 200 without any
		// customer may be one (F20): FluentCart's own as under 500, and WordPress's, which asks who it is, and whether there
		// is such a route, before anything runs. The words of other plug-ins may come from anywhere.
		return a.refusedByFluentCart(body) || said < 500 && body.ofWordPress()
	case a.status == http.StatusInternalServerError:
		// WordPress checks the parameters, and says 400, before it runs what the route is for.
		return a.refusedByFluentCart(body) || said == http.StatusBadRequest && body.ofWordPress()
	case a.status == http.StatusServiceUnavailable:
		// Maintenance says when to come back (F19), and is looked at before any plug-in is loaded. Who dies with a 503 later
		// on does not know when.
		return said == http.StatusServiceUnavailable && body.Code == died && a.header.Get("Retry-After") != ""
	case a.status >= 500:
		return false // of something in between, which does not know
	case a.status == http.StatusRequestTimeout, a.status == statusClientClosed:
		return false
	case said >= 500, body.Code == died:
		// The body contradicts the line; and what dies may do so at any time, and chooses its status.
		return false
	}
	// A status line of 4xx is what the documentation and later versions have for a refusal, and what a limiter or a firewall
	// in front says of what it does not pass on. The body may say more precisely which it is.
	return true
}

// died is the code of all that ends by WordPress's wp_die.
const died = "wp_die"

// ofWordPress reports whether the code is one of the REST API's own.
func (r refusal) ofWordPress() bool { return strings.HasPrefix(string(r.Code), "rest_") }

// refusedByFluentCart reports whether the body is a refusal that FluentCart was measured to give as a number in a 500 (F1),
// or one of fields (F5). It gives other numbers too, but those are of whatever was thrown, wherever that was: a 401 so may
// come from a plug-in that was told of the write and could not tell another service of it.
func (a *answer) refusedByFluentCart(body refusal) bool {
	switch body.number() {
	case http.StatusBadRequest, http.StatusLocked:
		return true
	case http.StatusUnprocessableEntity:
		return len(fieldErrors(a.body)) > 0
	}
	return false
}

// doubtful is the kind of a refusal that is not believed.
func (a *answer) doubtful() Kind {
	if a.status >= 500 || a.status == http.StatusRequestTimeout || a.status == statusClientClosed {
		return Broken
	}
	return BadAnswer
}

// refusedAtTheDoor reports whether credentials were refused before anything was done: by the status line, and not by the
// number that FluentCart gives to what goes wrong later on.
func (e *Error) refusedAtTheDoor() bool {
	return e.Kind == Unauthenticated && e.Status == http.StatusUnauthorized && !isNumber(e.Code)
}

func isNumber(code string) bool { return code != "" && strings.Trim(code, "0123456789") == "" }
