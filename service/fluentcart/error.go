package fluentcart

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Kind says how a request failed.
type Kind int

// The kinds of Error. In the first group the store refused the request, and did not do what was asked. The second group is
// everything else.
const (
	// Rejected is 400. The store also sends it to a PUT of a customer that does not exist (F6).
	Rejected Kind = iota + 1
	// Invalid is 422; Fields lists the violations (F5).
	Invalid
	// UserUpdateFailed is 423: the linked WordPress user could not be updated, and nothing was written (F8).
	UserUpdateFailed
	// NotFound is FluentCart's own 404 for a customer that does not exist (F6).
	NotFound
	// NoRoute is any other 404: the plug-in is off, or the base path is wrong (F18).
	NoRoute
	// MethodRefused is 405 or 501: what answers does not serve the method, as hosts that refuse PUT (F30), and upstreams
	// that only know the documented PUT.
	MethodRefused
	// Unauthenticated is 401 (F18).
	Unauthenticated
	// Forbidden is 403 (F18).
	Forbidden
	// RateLimited is 429.
	RateLimited
	// Unavailable is 503 with WordPress's own code, as its maintenance mode sends it (F19).
	Unavailable
	// Blocked is a page, a captcha or a challenge of a firewall or of the host in the store's place (F30). It says nothing
	// about the credentials.
	Blocked
	// Redirected is any 3xx; it was not followed (F21).
	Redirected
	// Refused is any other 4xx.
	Refused

	// Unreachable means that no connection could be opened, or that not one byte could be written: nothing was sent.
	Unreachable
	// Suspended means that the circuit breaker is open: the store failed too often, and nothing was sent.
	Suspended
	// NotBegun means that mayStart refused the write before its first byte: nothing was sent.
	NotBegun
	// CallerLeft means that the context of a write ended after the first byte was sent, and before the response: Await
	// waits for it.
	CallerLeft
	// NotTrusted means that the TLS handshake failed: nothing was sent.
	NotTrusted
	// NoAnswer means that no complete response came before the timeout, or before the connection failed. If Sent, the
	// store may have done, or may still do, what was asked (F22).
	NoAnswer
	// Unconfirmed is a refusal of a write that may have been made after the write (F25). The response is complete, so one
	// read settles it: if the customer is unchanged, the write is refused as Refusal says.
	Unconfirmed
	// Broken is 500 without a more specific code, 502, 503 from a proxy in front of the store, 504 or another 5xx. It says
	// nothing about the write.
	Broken
	// BadAnswer is a response that reports success without the customer, contradicts itself, or is too long. The store may
	// have done what was asked.
	BadAnswer
)

// kindNames are the names of the kinds in the text of an Error.
var kindNames = [...]string{
	Rejected:         "rejected",
	Invalid:          "invalid",
	UserUpdateFailed: "WordPress user not updated",
	NotFound:         "customer not found",
	NoRoute:          "no such route",
	MethodRefused:    "method refused",
	Unauthenticated:  "credentials refused",
	Forbidden:        "permission refused",
	RateLimited:      "rate limited",
	Unavailable:      "unavailable",
	Blocked:          "blocked",
	Redirected:       "redirected",
	Refused:          "refused",
	Unreachable:      "unreachable",
	Suspended:        "circuit breaker open",
	NotBegun:         "not begun",
	CallerLeft:       "caller left before the response",
	NotTrusted:       "TLS handshake failed",
	NoAnswer:         "no complete response",
	Unconfirmed:      "unconfirmed refusal",
	Broken:           "server error",
	BadAnswer:        "unusable response",
}

// String returns the kind in a few words.
func (k Kind) String() string {
	if k <= 0 || int(k) >= len(kindNames) {
		return fmt.Sprintf("Kind(%d)", int(k))
	}
	return kindNames[k]
}

// Label returns the kind as one word, for metrics and spans.
func (k Kind) Label() string { return strings.ReplaceAll(strings.ToLower(k.String()), " ", "_") }

// Error is a call that returned no customer. Of what the store sent, its text holds only the known names of Code and Fields,
// the address of a Redirect without its query, the name of a cache's header, and the names in a certificate that is not
// trusted. It may hold the store's address.
type Error struct {
	Kind   Kind
	Method string
	// Status is the HTTP status of the response; 0 if there was none.
	Status int
	// Code is the `code` in the body, such as 423 or rest_forbidden; "(other)" if it is not a known one; empty if there is
	// none.
	Code string
	// Fields are the violations of an Invalid.
	Fields []FieldError
	// Redirect is where a response of status 3xx points; nil for others.
	Redirect *Redirect
	// RetryAfter is how long the store asks to wait; 0 if it does not say.
	RetryAfter time.Duration
	// Source is the likely sender of a response that is Blocked, such as Cloudflare, from a fixed list; empty if its headers
	// do not say.
	Source string
	// FromWordPress reports whether the response has the form of WordPress's or FluentCart's own errors. Others come from
	// something in front of the store, and say nothing about it.
	FromWordPress bool
	// IsPage reports whether a 401 has an HTML page, which a web server in front of WordPress sends.
	IsPage bool
	// Refusal is the refusal that the response to a write states although the write may have been applied. An Unconfirmed
	// has one, and a Broken whose response states one.
	Refusal *Error
	// Sent reports whether the request may have reached the store.
	Sent bool
	// Err is the cause, if there is one. errors.Is finds the context's error.
	Err error

	await    func(context.Context) (*response, error) // of CallerLeft
	byCaller bool                                     // the call's own context had ended
}

// Error returns one line for the log.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "fluentcart: %s: %s", e.Method, e.Kind)
	if e.Status != 0 {
		fmt.Fprintf(&b, " (HTTP %d", e.Status)
		if e.Code != "" {
			fmt.Fprintf(&b, ", code %s", e.Code)
		}
		b.WriteString(")")
	}
	if e.Refusal != nil {
		fmt.Fprintf(&b, ", %s", e.Refusal.Kind)
	}
	if e.Source != "" {
		fmt.Fprintf(&b, ", by %s", e.Source)
	}
	for _, field := range e.Fields {
		fmt.Fprintf(&b, ", %s %s", field.Field, field.Rule)
	}
	if e.Redirect != nil && e.Redirect.To != "" {
		fmt.Fprintf(&b, " to %s", e.Redirect.To)
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }
