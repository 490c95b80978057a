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
	"sync/atomic"
)

// maxBody bounds an answer; a customer is about 1.5 KiB.
const maxBody = 1 << 20

// answer is a complete HTTP answer of the store.
type answer struct {
	method string
	status int
	header http.Header
	body   []byte

	customer object // in the body, with what the store says to it; nil if there is none
	message  string
}

// exchange sends one request and returns the store's answer if that holds a customer.
func (c *Client) exchange(ctx context.Context, as Credentials, method, target string, body []byte, begin func() error) (*answer, *Error) {
	var sent departure
	attempt, forbid := context.WithCancelCause(ctx)
	defer forbid(nil)
	var content io.Reader // of a type that net/http knows, so that headers and body leave together
	if body != nil {
		content = bytes.NewReader(body)
	}
	request, err := http.NewRequestWithContext(httptrace.WithClientTrace(attempt, &httptrace.ClientTrace{
		// From here on bytes may leave: to be safe the request counts as sent. Reading the body is too late to ask
		// begin, since the headers of an unknown type of body are flushed before it is read.
		GotConn: func(got httptrace.GotConnInfo) {
			if err := sent.leave(attempt, begin); err != nil {
				forbid(err)
				_ = got.Conn.Close() // net/http does not look at the context before it writes
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
	response, err := c.http.Do(request)
	if err != nil {
		var notBegun *notBegunError
		if errors.As(context.Cause(attempt), &notBegun) {
			err = notBegun
		}
		return nil, transportError(ctx, method, 0, !sent.abandon(), err)
	}
	defer response.Body.Close() //nolint:errcheck // nothing is left to do with the connection
	read, err := io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	if err != nil {
		return nil, transportError(ctx, method, response.StatusCode, true, err)
	}
	a := &answer{method: method, status: response.StatusCode, header: response.Header, body: read}
	if len(read) > maxBody {
		return nil, a.error(BadAnswer, fmt.Errorf("answer over %d bytes", maxBody))
	}
	if failure := classify(a); failure != nil {
		return nil, failure
	}
	return a, nil
}

// departure decides once, between the one who sends and the one who gives up waiting, whether a request has left.
type departure struct{ state atomic.Int32 }

const (
	waiting int32 = iota
	begun
	abandoned
)

// leave asks begin, if there is one, and says that bytes may leave from now on. net/http comes here anew when it finds,
// before it has sent a byte, that the connection was closed.
func (d *departure) leave(ctx context.Context, begin func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if begin != nil {
		if err := begin(); err != nil {
			return &notBegunError{err}
		}
	}
	if !d.begin() {
		return &notBegunError{context.Canceled}
	}
	return nil
}

// begin says that bytes may leave from now on; it returns false if the request was abandoned before.
func (d *departure) begin() bool {
	d.state.CompareAndSwap(waiting, begun)
	return d.state.Load() == begun
}

// abandon returns whether nothing has left; then nothing will.
func (d *departure) abandon() bool {
	d.state.CompareAndSwap(waiting, abandoned)
	return d.state.Load() == abandoned
}

// notBegunError is why a request was not begun.
type notBegunError struct{ error }

// Unwrap returns what begin said.
func (e *notBegunError) Unwrap() error { return e.error }

// failure turns an answer that should have held a customer, and does not, into an Error.
func (a *answer) failure(cause error) *Error { return a.error(BadAnswer, cause) }

func (a *answer) error(kind Kind, cause error) *Error {
	return &Error{Kind: kind, Method: a.method, Status: a.status, Sent: true, Err: cause}
}

// transportError describes a request that got no complete answer. The context's error wins over what the
// transport makes of it: "deadline exceeded" says more than "use of closed connection".
func transportError(ctx context.Context, method string, status int, sent bool, err error) *Error {
	failure := &Error{Kind: Unreachable, Method: method, Status: status, Sent: sent, Err: causeOf(err)}
	var notBegun *notBegunError
	switch {
	case errors.As(err, &notBegun) && !sent:
		failure.Kind, failure.Err = NotBegun, notBegun.error
	case ctx.Err() != nil:
		failure.Kind, failure.Err = NoAnswer, ctx.Err()
	case sent: // a TLS alert too, once the handshake is over, may come after the request
		failure.Kind = NoAnswer
	case isTLS(err):
		failure.Kind = NotTrusted
	}
	return failure
}

// isTLS reports whether it was the handshake that failed.
func isTLS(err error) bool {
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	if errors.As(err, &certificate) || errors.As(err, &record) || errors.Is(err, http.ErrSchemeMismatch) {
		return true
	}
	var alert *net.OpError // crypto/tls has no type for an alert over TCP
	return errors.As(err, &alert) && (alert.Op == "remote error" || alert.Op == "local error")
}
