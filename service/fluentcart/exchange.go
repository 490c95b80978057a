package fluentcart

import (
	"context"
	"errors"
	"net/http"
	"os"
	"time"
)

// request is one request to the store.
type request struct {
	method   string
	target   string // path and query; a GET has a query
	as       Credentials
	body     []byte
	expected *Customer // the response's id, and the values of columns that it does not have
	// mayStart, if set, is called right before the first byte of each attempt. Its error forbids to send the byte.
	mayStart func() error
}

// response is a complete HTTP response of the store.
type response struct {
	client *Client
	method string
	began  time.Time // when its request began
	status int
	header http.Header
	body   []byte
	closes bool // the store closes the connection after it

	redirect   *Redirect    // of a status of 3xx
	unreadable *CodingError // why the body cannot be read, or nil

	customer envelope // what was found of a customer in the body
}

// exchange is a request and its response. One goroutine at a time works on it.
type exchange struct {
	client   *Client
	request  *request
	start    time.Time
	deadline time.Time
	settle   func(error) // reports the outcome to the circuit breaker

	conn *conn // of a write whose caller has left
}

// progress is how far an exchange came.
type progress int

const (
	notSent  progress = iota // no byte of the request has left
	sent                     // bytes of the request may have left
	received                 // bytes of the response have arrived
)

// errCallerLeft ends the round trip of a write whose caller's context has ended after the write was sent.
var errCallerLeft = errors.New("the caller has left")

// run sends the request and returns the store's response if that holds a customer. The calling goroutine writes and reads.
// The request is sent at most once, except that a read is sent again, once, if a kept connection ends before the first byte
// of the response: the store may close an idle connection at any moment.
//
// A read ends with ctx. A write does so until its first byte is sent; from then on, the end of ctx only ends the wait for
// the response, with an Error of kind CallerLeft, and await must follow.
func (x *exchange) run(ctx context.Context) (*response, *Error) {
	for fresh := false; ; fresh = true {
		if err := ctx.Err(); err != nil {
			return nil, x.failure(ctx, 0, notSent, err)
		}
		conn, err := x.client.transport.take(ctx, x.deadline, fresh)
		if err != nil {
			return nil, x.failure(ctx, 0, notSent, err)
		}
		got, progress, err := x.roundTrip(ctx, conn)
		if err == nil {
			if failure := x.judge(got); failure != nil {
				return nil, failure
			}
			return got, nil
		}
		if notBegun, ok := errors.AsType[*Error](err); ok {
			return nil, notBegun
		}
		if err == errCallerLeft { //nolint:errorlint // it is never wrapped
			return nil, &Error{Kind: CallerLeft, Method: x.request.method, Sent: true, Err: ctx.Err()}
		}
		again := progress == notSent || !x.isWrite() && progress == sent
		if conn.reused && !fresh && again && ctx.Err() == nil && time.Now().Before(x.deadline) {
			continue
		}
		return nil, x.failure(ctx, statusOf(got), progress, err)
	}
}

// await waits for the response to a write whose caller has left, until ctx ends.
func (x *exchange) await(ctx context.Context) (*response, error) {
	stop := x.conn.interruptWith(ctx, false)
	defer x.conn.close()
	defer stop()
	x.conn.replay()
	_ = x.conn.SetReadDeadline(x.deadline) // a connection that is closed fails in the read
	if ctx.Err() != nil {                  // it may have ended before the deadline was set
		return x.end(ctx, nil, x.failure(ctx, 0, sent, ctx.Err()))
	}
	got, progress, err := x.receive(x.conn)
	if err != nil {
		return x.end(ctx, nil, x.failure(ctx, statusOf(got), progress, err))
	}
	return x.end(ctx, got, x.judge(got))
}

// judge returns the Error of a complete response, or nil if it is a customer of the store's. Of a response that a cache has
// kept, nothing counts that is in the store's own words: it may have been true earlier (F29). The response to a write is
// never one, whatever its headers say.
func (x *exchange) judge(got *response) *Error {
	failure := classify(got, x.request.expected)
	if got.unreadable != nil && failure != nil {
		if !x.isWrite() && got.status < 500 && failure.Kind != Redirected && failure.Kind != RateLimited {
			failure = got.error(BadAnswer, nil) // without its body, a 4xx does not say whose it is
		}
		failure.Err = got.unreadable
	}
	if x.isWrite() || failure != nil && failure.Code == "" {
		return failure
	}
	if mark := cacheMark(got.header); mark != "" {
		return got.error(BadAnswer, &CacheError{Mark: mark})
	}
	return failure
}

// end reports the outcome to the breaker, the metrics and the record of refused credentials, and returns it.
func (x *exchange) end(ctx context.Context, got *response, failure *Error) (*response, error) {
	outcome := Kind(0)
	var err error
	if failure != nil {
		failure.byCaller = ctx.Err() != nil
		outcome, err, got = failure.Kind, failure, nil
	}
	x.settle(err)
	x.client.ended(x.request.method, outcome, time.Since(x.start))
	x.client.refused.record(x.request.as, failure)
	return got, err
}

func (x *exchange) isWrite() bool { return x.request.method == http.MethodPut }

// roundTrip writes the request to the connection and reads the response. It keeps the connection if it can be used again,
// and closes it otherwise. A response that arrives before the whole request is written is not looked for: a store that
// refuses a body by its size answers, and then closes the connection, which ends as NoAnswer.
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

func (r *response) error(kind Kind, cause error) *Error {
	return &Error{Kind: kind, Method: r.method, Status: r.status, Redirect: r.redirect, Sent: true, Err: cause}
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
