package fluentcart

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

const (
	// maxBody bounds the body of a response, in bytes; a customer is about 1.5 KiB.
	maxBody = 1 << 20
	// maxHeader bounds the status line and the headers of a response, in bytes.
	maxHeader = 64 << 10
	// maxInformational bounds the responses of status 1xx before the final one.
	maxInformational = 5
)

// request is one request to the store.
type request struct {
	method string
	target string // path and query
	as     Credentials
	body   []byte
	// mayStart, if set, is called right before the first byte of each attempt. Its error forbids to send the byte.
	mayStart func() error
}

// response is a complete HTTP response of the store.
type response struct {
	method string
	status int
	header http.Header
	body   []byte

	customer object // the customer in the body; nil if there is none
}

// exchange sends one request and returns the store's response if that holds a customer. The calling goroutine writes and
// reads. The request is sent at most once, except that a read is sent again, once, if a kept connection ends before the first
// byte of the response: the store may close an idle connection at any moment.
func (c *Client) exchange(ctx context.Context, deadline time.Time, r *request) (*response, *Error) {
	for fresh := false; ; fresh = true {
		if err := ctx.Err(); err != nil {
			return nil, transportError(ctx, deadline, r, 0, false, err)
		}
		conn, err := c.transport.take(ctx, deadline, fresh)
		if err != nil {
			return nil, transportError(ctx, deadline, r, 0, false, err)
		}
		got, progress, err := c.roundTrip(ctx, deadline, conn, r)
		if err == nil {
			if failure := classify(got); failure != nil {
				return nil, failure
			}
			return got, nil
		}
		if notBegun, ok := errors.AsType[*Error](err); ok {
			return nil, notBegun
		}
		again := progress == notSent || r.method == http.MethodGet && progress == sent
		if conn.reused && !fresh && again && ctx.Err() == nil && time.Now().Before(deadline) {
			continue
		}
		status := 0
		if got != nil {
			status = got.status
		}
		return nil, transportError(ctx, deadline, r, status, progress != notSent, err)
	}
}

// progress is how far an exchange came.
type progress int

const (
	notSent  progress = iota // no byte of the request has left
	sent                     // bytes of the request may have left
	received                 // bytes of the response have arrived
)

// roundTrip writes the request to the connection and reads the response. It keeps the connection if it can be used again,
// and closes it otherwise. A response that arrives before the whole request is written is not looked for: a store that
// refuses a body by its size answers, and then closes the connection, which ends as NoAnswer.
func (c *Client) roundTrip(ctx context.Context, deadline time.Time, conn *conn, r *request) (got *response, p progress, err error) {
	reusable := false
	// A cancelled context ends the exchange at once: it makes the connection time out.
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer func() {
		if uncancelled := stop(); uncancelled && reusable {
			conn.keep()
		} else {
			conn.close()
		}
	}()
	if err := conn.SetDeadline(deadline); err != nil {
		return nil, notSent, err
	}
	if ctx.Err() != nil { // it may have ended before the deadline was set
		return nil, notSent, ctx.Err()
	}
	conn.request = c.appendRequest(conn.request[:0], r)
	if r.mayStart != nil {
		if err := r.mayStart(); err != nil {
			reusable = true
			return nil, notSent, &Error{Kind: NotBegun, Method: r.method, Err: err}
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
	conn.limit.N = maxHeader
	if _, err := conn.reader.Peek(1); err != nil {
		return nil, sent, err
	}
	answered, err := readFinal(conn, r.method) //nolint:bodyclose // readBody reads it to its end, or the connection is closed
	if err != nil {
		return nil, received, err
	}
	conn.limit.N = maxBody + maxHeader // the header's limit again for chunk sizes and trailers; readBody bounds the content
	got = &response{method: r.method, status: answered.StatusCode, header: answered.Header}
	got.body, err = readBody(answered)
	if err != nil {
		return got, received, err
	}
	reusable = len(got.body) <= maxBody && !answered.Close
	return got, received, nil
}

// readFinal reads the header of the response, and skips informational ones. 101 is an error: no request asks for another
// protocol, and what follows would not be HTTP.
func readFinal(conn *conn, method string) (*http.Response, error) {
	for range maxInformational + 1 {
		answered, err := http.ReadResponse(conn.reader, &http.Request{Method: method})
		switch {
		case err != nil:
			return nil, err
		case answered.StatusCode >= http.StatusOK:
			return answered, nil
		case answered.StatusCode < http.StatusContinue || answered.StatusCode == http.StatusSwitchingProtocols:
			return nil, errors.New("a status that is no response to the request")
		}
	}
	return nil, errors.New("too many informational responses")
}

// readBody reads a body to its end. Of one that is longer than maxBody bytes it returns the first maxBody+1.
func readBody(answered *http.Response) ([]byte, error) {
	var body io.Reader = answered.Body
	if strings.EqualFold(answered.Header.Get("Content-Encoding"), "gzip") {
		unpacked, err := gzip.NewReader(body)
		if err == io.EOF { //nolint:errorlint // of an empty body, which some servers label too; gzip wraps nothing
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		body = unpacked
	}
	var read bytes.Buffer
	if size := answered.ContentLength; size > 0 && size <= maxBody {
		read.Grow(int(size) + bytes.MinRead) // what ReadFrom wants to have free at the end
	}
	if _, err := read.ReadFrom(io.LimitReader(body, maxBody+1)); err != nil {
		return nil, err
	}
	return read.Bytes(), nil
}

// appendRequest appends the request as it is sent. No header depends on the gateway's caller, except the credentials.
func (c *Client) appendRequest(out []byte, r *request) []byte {
	out = append(out, r.method...)
	out = append(out, ' ')
	out = append(out, r.target...)
	out = append(out, c.header...)
	if r.body != nil {
		out = append(out, "Content-Length: "...)
		out = strconv.AppendInt(out, int64(len(r.body)), 10)
		out = append(out, "\r\nContent-Type: application/json\r\n"...)
	}
	if r.as.Username != "" || !r.as.Password.Empty() {
		out = append(out, "Authorization: Basic "...)
		out = base64.StdEncoding.AppendEncode(out, []byte(r.as.Username+":"+r.as.Password.Reveal()))
		out = append(out, "\r\n"...)
	}
	out = append(out, "\r\n"...)
	return append(out, r.body...)
}

// failure turns a response that should have held a customer, and does not, into an Error.
func (r *response) failure(cause error) *Error { return r.error(BadAnswer, cause) }

func (r *response) error(kind Kind, cause error) *Error {
	return &Error{Kind: kind, Method: r.method, Status: r.status, Sent: true, Err: cause}
}

// transportError describes a request that got no complete response. The context's error replaces the connection's:
// "context canceled" says more than "i/o timeout".
func transportError(ctx context.Context, deadline time.Time, r *request, status int, sent bool, err error) *Error {
	failure := &Error{Kind: Unreachable, Method: r.method, Status: status, Sent: sent, Err: causeOf(err)}
	if ends, ok := ctx.Deadline(); ok && !ends.After(deadline) && isTimeout(err) && !time.Now().Before(ends) {
		<-ctx.Done() // a connection times out a moment before the context does
	}
	switch {
	case ctx.Err() != nil:
		failure.Kind, failure.Err = NoAnswer, ctx.Err()
	case isTimeout(err) && !time.Now().Before(deadline):
		failure.Kind, failure.Err = NoAnswer, context.DeadlineExceeded
	case sent: // a TLS alert as well: after the handshake it may come after the request
		failure.Kind = NoAnswer
	default:
		if _, ok := errors.AsType[*handshakeError](err); ok {
			failure.Kind = NotTrusted
		}
	}
	return failure
}

func isTimeout(err error) bool {
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded)
}
