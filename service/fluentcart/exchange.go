package fluentcart

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
)

// maxBody bounds the body of a response; a customer is about 1.5 KiB.
const maxBody = 1 << 20

// response is a complete HTTP response of the store.
type response struct {
	method string
	status int
	header http.Header
	body   []byte

	customer object // the customer in the body; nil if there is none
}

// exchange sends one request and returns the store's response if that holds a customer.
func (c *Client) exchange(ctx context.Context, as Credentials, method, target string, body []byte, mayStart func() error) (*response, *Error) {
	var gate sendGate
	attempt, forbid := context.WithCancelCause(ctx)
	defer forbid(nil)
	var content io.Reader // of a type that net/http knows, so that it writes headers and body together
	if body != nil {
		content = bytes.NewReader(body)
	}
	request, err := http.NewRequestWithContext(httptrace.WithClientTrace(attempt, &httptrace.ClientTrace{
		// After GotConn bytes may leave, so from here on the request counts as sent. Asking mayStart when net/http reads
		// the body would be too late: it flushes the headers before it reads a body of a type that it does not know.
		GotConn: func(got httptrace.GotConnInfo) {
			if err := gate.pass(attempt, mayStart); err != nil {
				forbid(err)
				_ = got.Conn.Close() // net/http does not check the context before it writes
			}
		},
	}), method, target, content)
	if err != nil {
		return nil, &Error{Kind: Unreachable, Method: method, Err: causeOf(err)}
	}
	request.Header = c.header.Clone()
	as.sign(request)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	answered, err := c.http.Do(request)
	if err != nil {
		var notBegun *notBegunError
		if errors.As(context.Cause(attempt), &notBegun) {
			err = notBegun
		}
		return nil, transportError(ctx, method, 0, !gate.close(), err)
	}
	defer answered.Body.Close() //nolint:errcheck // nothing is left to do with the connection
	read, err := io.ReadAll(io.LimitReader(answered.Body, maxBody+1))
	if err != nil {
		return nil, transportError(ctx, method, answered.StatusCode, true, err)
	}
	r := &response{method: method, status: answered.StatusCode, header: answered.Header, body: read}
	if len(read) > maxBody {
		return nil, r.error(BadAnswer, fmt.Errorf("response over %d bytes", maxBody))
	}
	if failure := classify(r); failure != nil {
		return nil, failure
	}
	return r, nil
}

// failure turns a response that should have held a customer, and does not, into an Error.
func (r *response) failure(cause error) *Error { return r.error(BadAnswer, cause) }

func (r *response) error(kind Kind, cause error) *Error {
	return &Error{Kind: kind, Method: r.method, Status: r.status, Sent: true, Err: cause}
}

// transportError describes a request that got no complete response. The context's error replaces the transport's:
// "deadline exceeded" says more than "use of closed connection".
func transportError(ctx context.Context, method string, status int, sent bool, err error) *Error {
	failure := &Error{Kind: Unreachable, Method: method, Status: status, Sent: sent, Err: causeOf(err)}
	var notBegun *notBegunError
	switch {
	case errors.As(err, &notBegun) && !sent:
		failure.Kind, failure.Err = NotBegun, notBegun.error
	case ctx.Err() != nil:
		failure.Kind, failure.Err = NoAnswer, ctx.Err()
	case sent: // a TLS alert as well: after the handshake it may come after the request
		failure.Kind = NoAnswer
	case isTLS(err):
		failure.Kind = NotTrusted
	}
	return failure
}

// isTLS reports whether the TLS handshake failed.
func isTLS(err error) bool {
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	if errors.As(err, &certificate) || errors.As(err, &record) || errors.Is(err, http.ErrSchemeMismatch) {
		return true
	}
	var alert *net.OpError // crypto/tls has no type for an alert over TCP
	return errors.As(err, &alert) && (alert.Op == "remote error" || alert.Op == "local error")
}
