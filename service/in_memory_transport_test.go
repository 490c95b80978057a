package service_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"syscall"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// inMemoryTransport carries a client's requests to a handler in this process, so that both can run in one synctest
// bubble. Each request has a connection of its own. As with a real store, the handler continues when the client gives up.
type inMemoryTransport struct {
	// connectTime is how long it takes to connect for a write.
	connectTime time.Duration

	mu       sync.Mutex
	handler  http.Handler
	outage   chan struct{} // closed while the store is unreachable
	requests []sentRequest
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

func newInMemoryTransport(handler http.Handler) *inMemoryTransport {
	return &inMemoryTransport{handler: handler, outage: make(chan struct{})}
}

// dial opens a connection for one request of the call that ctx belongs to.
func (m *inMemoryTransport) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	outage := m.currentOutage()
	if isClosed(outage) {
		m.record(ctx, sentRequest{refused: true})
		return nil, syscall.ECONNREFUSED
	}
	if m.isNextAWrite(ctx) {
		if err := m.connect(ctx); err != nil {
			return nil, err
		}
	}
	client, store := net.Pipe()
	ended := make(chan struct{})
	go func() {
		select {
		case <-outage:
			_ = store.Close()
		case <-ended:
		}
	}()
	go func() {
		defer close(ended)
		defer func() { _ = store.Close() }()
		m.serve(context.WithoutCancel(ctx), store)
	}()
	return client, nil
}

// isNextAWrite reports whether the call has read the customer, and has not sent its write yet.
func (m *inMemoryTransport) isNextAWrite(ctx context.Context) bool {
	call := ctx.Value(callKey{})
	sent := func(method string) bool {
		return len(m.requestsWhere(func(r sentRequest) bool { return r.call == call && r.method == method })) > 0
	}
	return sent(http.MethodGet) && !sent(http.MethodPut)
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

// serve runs the handler for the one request of a connection. A handler that aborts ends the connection.
func (m *inMemoryTransport) serve(ctx context.Context, conn net.Conn) {
	defer func() {
		if panicked := recover(); panicked != nil {
			if err, ok := panicked.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
				panic(panicked)
			}
		}
	}()
	r, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return // the client sent no request
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	customer, _ := sandbox.Customer(r)
	m.record(ctx, sentRequest{method: r.Method, customer: customer})
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		_, _ = conn.Read(make([]byte, 1)) // it fails when the client closes the connection
		cancel()
	}()
	recorder := httptest.NewRecorder()
	m.currentHandler().ServeHTTP(recorder, r.WithContext(ctx))
	response := recorder.Result()
	response.Close = true
	_ = response.Write(conn) // it fails if the client is gone
}

func (m *inMemoryTransport) currentHandler() http.Handler {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.handler
}

// setHandler gives the requests from now on to another handler.
func (m *inMemoryTransport) setHandler(handler http.HandlerFunc) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.handler = handler
}

func (m *inMemoryTransport) record(ctx context.Context, sent sentRequest) {
	sent.at, sent.timeLeft = time.Now(), math.MaxInt64
	sent.call, _ = ctx.Value(callKey{}).(int)
	if deadline, ok := ctx.Value(deadlineKey{}).(time.Time); ok {
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
