package service_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"path"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// inMemoryTransport carries a client's requests to a handler in this process, so that both can run in one synctest
// bubble. As with a real connection, the handler continues when the client gives up, and no request is sent on a
// connection that the client has closed before its first byte.
type inMemoryTransport struct {
	handler http.Handler
	// connectTime is how long it takes until the first byte of a write can be sent.
	connectTime time.Duration

	mu       sync.Mutex
	outage   chan struct{} // closed while the store is unreachable
	requests []sentRequest
}

// fakeConn is a connection that can only be closed.
type fakeConn struct {
	net.Conn
	isClosed bool
}

// Close keeps the request from being sent.
func (c *fakeConn) Close() error {
	c.isClosed = true
	return nil
}

// sentRequest is one request that was sent to the store, or whose connection was refused.
type sentRequest struct {
	method   string
	customer int64
	call     int // the number of the call that it was sent for
	at       time.Time
	timeLeft time.Duration // until the deadline of the call
	refused  bool
}

// The keys under which a call's context has the call's number and its deadline. Work that outlives the caller has a
// context without this deadline, but with these values.
type (
	callKey     struct{}
	deadlineKey struct{}
)

var errReset = &resetError{}

type resetError struct{}

func (*resetError) Error() string { return "read: connection reset by peer" }
func (*resetError) Unwrap() error { return syscall.ECONNRESET }

func newInMemoryTransport(handler http.Handler) *inMemoryTransport {
	return &inMemoryTransport{handler: handler, outage: make(chan struct{})}
}

// RoundTrip implements http.RoundTripper.
func (m *inMemoryTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer r.Body.Close()
	}
	outage := m.currentOutage()
	if isClosed(outage) {
		m.record(r, true)
		return nil, syscall.ECONNREFUSED
	}
	if r.Method == http.MethodPut {
		if err := m.connect(r.Context()); err != nil {
			return nil, err
		}
	}
	conn := &fakeConn{}
	if trace := httptrace.ContextClientTrace(r.Context()); trace != nil && trace.GotConn != nil {
		trace.GotConn(httptrace.GotConnInfo{Conn: conn})
	}
	if conn.isClosed {
		return nil, net.ErrClosed
	}
	arrived := r.Clone(r.Context())
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		arrived.Body = io.NopCloser(bytes.NewReader(body))
	} else {
		arrived.Body = http.NoBody
	}
	m.record(r, false)
	select {
	case response := <-m.serve(arrived):
		if response == nil {
			return nil, errReset
		}
		return response, nil
	case <-r.Context().Done():
		return nil, r.Context().Err()
	case <-outage:
		return nil, errReset
	}
}

func (m *inMemoryTransport) connect(ctx context.Context) error {
	if m.connectTime == 0 {
		return nil
	}
	timer := time.NewTimer(m.connectTime)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// serve runs the handler, and returns its response, or nil if the handler aborted the connection.
func (m *inMemoryTransport) serve(r *http.Request) <-chan *http.Response {
	responses := make(chan *http.Response, 1)
	go func() {
		defer func() {
			if panicked := recover(); panicked != nil {
				if err, ok := panicked.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
					panic(panicked)
				}
				responses <- nil
			}
		}()
		recorder := httptest.NewRecorder()
		m.handler.ServeHTTP(recorder, r)
		responses <- recorder.Result()
	}()
	return responses
}

func (m *inMemoryTransport) record(r *http.Request, refused bool) {
	customer, err := strconv.ParseInt(path.Base(r.URL.Path), 10, 64)
	if err != nil {
		panic("a request whose path does not end with a customer ID: " + r.URL.Path)
	}
	sent := sentRequest{method: r.Method, customer: customer, at: time.Now(), timeLeft: math.MaxInt64, refused: refused}
	sent.call, _ = r.Context().Value(callKey{}).(int)
	if deadline, ok := r.Context().Value(deadlineKey{}).(time.Time); ok {
		sent.timeLeft = time.Until(deadline)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests = append(m.requests, sent)
}

// requestsWhere returns the requests for which the condition holds, in the order in which they were sent.
func (m *inMemoryTransport) requestsWhere(condition func(sentRequest) bool) []sentRequest {
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []sentRequest
	for _, r := range m.requests {
		if condition(r) {
			found = append(found, r)
		}
	}
	return found
}

// disconnect resets all connections, and refuses new ones until reconnect.
func (m *inMemoryTransport) disconnect() {
	m.mu.Lock()
	defer m.mu.Unlock()
	close(m.outage)
}

func (m *inMemoryTransport) reconnect() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.outage = make(chan struct{})
}

func (m *inMemoryTransport) currentOutage() chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.outage
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
