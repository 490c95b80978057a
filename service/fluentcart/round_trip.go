package fluentcart

import (
	"context"
	"errors"
	"os"
	"time"
)

// progress is how far an exchange came.
type progress int

const (
	notSent  progress = iota // no byte of the request has left
	sent                     // bytes of the request may have left
	received                 // bytes of the response have arrived
)

// errCallerLeft ends the round trip of a write whose caller's context has ended after the write was sent.
var errCallerLeft = errors.New("the caller has left")

// roundTrip writes the request to the connection and reads the response. It keeps the connection if it can be used again,
// and closes it otherwise. It reads nothing before the whole request is written: a store that refuses a body by its size
// responds early and closes the connection, and that ends as NoAnswer.
func (x *exchange) roundTrip(ctx context.Context, conn *conn) (got *response, p progress, err error) {
	reusable := false
	// A write that has begun is written to its end: only the wait for its response is interrupted.
	stop := conn.interruptWith(ctx, !x.isWrite())
	defer func() {
		switch uninterrupted := stop(); {
		case err == errCallerLeft: //nolint:errorlint // it is never wrapped
			x.conn = conn
		case uninterrupted && reusable:
			conn.keep()
		default:
			conn.close()
		}
	}()
	deadline := x.deadline
	if ends, ok := ctx.Deadline(); ok && ends.Before(deadline) && !x.isWrite() {
		deadline = ends
	}
	if err := conn.SetDeadline(deadline); err != nil {
		return nil, notSent, err
	}
	if ctx.Err() != nil { // it may have ended before the deadline was set
		return nil, notSent, ctx.Err()
	}
	conn.request = x.client.appendRequest(conn.request[:0], x.request)
	if x.request.mayStart != nil {
		if err := x.request.mayStart(); err != nil {
			reusable = true
			return nil, notSent, &Error{Kind: NotBegun, Method: x.request.method, Err: err}
		}
	}
	n, err := conn.Write(conn.request)
	clear(conn.request) // it holds credentials and a customer, and an idle connection keeps it
	if err != nil {
		if n == 0 && conn.from.serverName == "" {
			return nil, notSent, err
		}
		return nil, sent, err // TLS may have sent bytes of a record even if it reports none
	}
	conn.record(x.isWrite())
	got, p, err = x.receive(conn)
	switch {
	case err == nil:
		reusable = len(got.body) <= maxBody && !got.closes
	case x.isWrite() && ctx.Err() != nil && isTimeout(err) && time.Now().Before(x.deadline):
		return nil, p, errCallerLeft
	}
	return got, p, err
}

// receive reads the response.
func (x *exchange) receive(conn *conn) (*response, progress, error) {
	conn.limit.N = maxHeader
	if _, err := conn.reader.Peek(1); err != nil {
		return nil, sent, err
	}
	answered, err := readFinal(conn, x.request.method) //nolint:bodyclose // readBody reads it to its end, or the connection is closed
	if err != nil {
		return nil, received, err
	}
	conn.limit.N = maxBody + maxHeader // the header's limit again for chunk sizes and trailers; readBody bounds the content
	got := &response{
		client: x.client, method: x.request.method, began: x.start, status: answered.StatusCode, header: answered.Header, closes: answered.Close,
	}
	if got.status >= 300 && got.status < 400 {
		got.redirect = x.client.redirectOf(answered.Header, x.request.target)
	}
	got.body, err = readBody(answered)
	if unreadable, ok := errors.AsType[*CodingError](err); ok {
		got.unreadable, got.closes, err = unreadable, true, nil // bytes of the body may be left
	}
	return got, received, err
}

// failure describes a request that got no complete response. The context's error replaces the connection's: "context
// canceled" says more than "i/o timeout".
func (x *exchange) failure(ctx context.Context, status int, p progress, err error) *Error {
	failure := &Error{Kind: Unreachable, Method: x.request.method, Status: status, Sent: p != notSent, Err: causeOf(err)}
	if ends, ok := ctx.Deadline(); ok && !ends.After(x.deadline) && isTimeout(err) && !time.Now().Before(ends) {
		<-ctx.Done() // a connection times out a moment before the context does
	}
	header, isHeader := errors.AsType[*HeaderError](err)
	switch {
	case isHeader: // the store has answered, and would answer so again
		failure.Kind, failure.Err = BadAnswer, header
	case ctx.Err() != nil:
		failure.Kind, failure.Err = NoAnswer, ctx.Err()
	case isTimeout(err) && !time.Now().Before(x.deadline):
		failure.Kind, failure.Err = NoAnswer, context.DeadlineExceeded
	case failure.Sent: // a TLS alert as well: after the handshake it may come after the request
		failure.Kind = NoAnswer
	default:
		if _, ok := errors.AsType[*handshakeError](err); ok {
			failure.Kind = NotTrusted
		}
	}
	return failure
}

func statusOf(got *response) int {
	if got == nil {
		return 0
	}
	return got.status
}

func isTimeout(err error) bool {
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded)
}
