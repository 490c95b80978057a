package fluentcart

import (
	"context"
	"errors"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/trace"
)

// request is one request to the store.
type request struct {
	route    route
	method   string
	target   string // path and query
	as       Credentials
	body     []byte
	expected *Customer // the response's id, and the values of columns that it does not have
	// requestID is the id that a response of the companion must repeat; empty for other requests.
	requestID string
	// mayStart, if set, is called right before the first byte of each attempt. If it returns an error, nothing is sent.
	mayStart func() error
	resends  int               // how often the request was sent before
	trace    trace.SpanContext // the span that the request belongs to; invalid where nothing is traced
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

	customer  envelope   // what was found of a customer in the body
	answer    *Answer    // of the companion to an update or a cancellation
	companion *Companion // of the companion to a probe
}

// exchange is a request and its response. One goroutine at a time works on it.
type exchange struct {
	client   *Client
	request  *request
	start    time.Time
	deadline time.Time
	report   func(error) // tells the circuit breaker the outcome
	span     trace.Span

	conn *conn // of a write whose caller has left
}

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

// judge returns the Error of a complete response, or nil if the response holds the store's customer. If a cache has kept the
// response to a read, neither a customer nor an error with a code counts, because either may be from earlier (F29). Caches
// do not answer writes, whatever the headers of the response say.
func (x *exchange) judge(got *response) *Error {
	var failure *Error
	if x.request.route.isCompanions() {
		failure = got.judgeAnswer(x.request)
	} else {
		failure = classify(got, x.request.expected)
	}
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
	x.endSpan(got, failure)
	x.report(err)
	x.client.ended(x.request.method, outcome, time.Since(x.start))
	x.client.refused.record(x.request.as, failure)
	return got, err
}

func (x *exchange) isWrite() bool { return x.request.isWrite() }

func (r *request) isWrite() bool { return isWrite(r.method) }

// isWrite reports whether a request with this method writes, and so must not be sent twice. To cancel a write twice does no
// harm.
func isWrite(method string) bool { return method == http.MethodPut || method == http.MethodPost }

func (r *response) error(kind Kind, cause error) *Error {
	return &Error{Kind: kind, Method: r.method, Status: r.status, Redirect: r.redirect, Sent: true, Err: cause}
}
