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

// wire carries a client's requests to a handler in this process, so that both can live in a bubble of fake time. As on
// a real one the handler goes on when the client gives up, and nothing leaves on a connection that was closed at once.
type wire struct {
	handler http.Handler
	// connecting is how long it takes until the first byte of a write leaves.
	connecting time.Duration

	mu       sync.Mutex
	torn     chan struct{} // closed while there is nobody at the other end
	requests []request
}

// connection is one that can be closed before it is used, and nothing else.
type connection struct {
	net.Conn
	isClosed bool
}

// Close makes the wire write nothing to it.
func (c *connection) Close() error {
	c.isClosed = true
	return nil
}

// request is one request that left, or that found nobody.
type request struct {
	method   string
	customer int64
	call     int // whose it is
	at       time.Time
	left     time.Duration // until the deadline of the call
	refused  bool
}

// Under these a call's context has its number and its deadline: what is done without the caller's
// time still has its values.
type (
	callKey     struct{}
	deadlineKey struct{}
)

var errReset = &resetError{}

type resetError struct{}

func (*resetError) Error() string { return "read: connection reset by peer" }
func (*resetError) Unwrap() error { return syscall.ECONNRESET }

func newWire(handler http.Handler) *wire { return &wire{handler: handler, torn: make(chan struct{})} }

// RoundTrip makes a wire an http.RoundTripper.
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer r.Body.Close()
	}
	torn := w.end()
	if isClosed(torn) {
		w.note(r, true)
		return nil, syscall.ECONNREFUSED
	}
	if r.Method == http.MethodPut {
		if err := w.connect(r.Context()); err != nil {
			return nil, err
		}
	}
	conn := &connection{}
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
	w.note(r, false)
	select {
	case response := <-w.answer(arrived):
		if response == nil {
			return nil, errReset
		}
		return response, nil
	case <-r.Context().Done():
		return nil, r.Context().Err()
	case <-torn:
		return nil, errReset
	}
}

func (w *wire) connect(ctx context.Context) error {
	if w.connecting == 0 {
		return nil
	}
	timer := time.NewTimer(w.connecting)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// answer lets the handler work, and gives its response, or nil if it broke the connection.
func (w *wire) answer(r *http.Request) <-chan *http.Response {
	answered := make(chan *http.Response, 1)
	go func() {
		defer func() {
			if broke := recover(); broke != nil {
				if err, ok := broke.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
					panic(broke)
				}
				answered <- nil
			}
		}()
		recorder := httptest.NewRecorder()
		w.handler.ServeHTTP(recorder, r)
		answered <- recorder.Result()
	}()
	return answered
}

func (w *wire) note(r *http.Request, refused bool) {
	customer, err := strconv.ParseInt(path.Base(r.URL.Path), 10, 64)
	if err != nil {
		panic("a request to nobody's customer: " + r.URL.Path)
	}
	noted := request{method: r.Method, customer: customer, at: time.Now(), left: math.MaxInt64, refused: refused}
	noted.call, _ = r.Context().Value(callKey{}).(int)
	if deadline, ok := r.Context().Value(deadlineKey{}).(time.Time); ok {
		noted.left = time.Until(deadline)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.requests = append(w.requests, noted)
}

// sent returns the requests that left for the store, in order, of those that the condition holds for.
func (w *wire) sent(of func(request) bool) []request {
	w.mu.Lock()
	defer w.mu.Unlock()
	var found []request
	for _, r := range w.requests {
		if of(r) {
			found = append(found, r)
		}
	}
	return found
}

// tear breaks all connections, and lets nobody connect, until mend.
func (w *wire) tear() {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.torn)
}

func (w *wire) mend() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.torn = make(chan struct{})
}

func (w *wire) end() chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.torn
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
