package fluentcart_test

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// memoryStore is a store for tests under synctest: a real server behind a real transport. Pipes connect them, because the
// fake time stands still while a goroutine waits for a socket.
type memoryStore struct {
	conns  chan net.Conn
	closed chan struct{}
	// dialing, if set, is called by each dial; its error fails the dial.
	dialing func(context.Context) error

	mu       sync.Mutex
	handler  http.HandlerFunc
	requests []arrival
	dials    int
	accepted int
}

// arrival is a request that reached the store.
type arrival struct {
	method string
	at     time.Time
	conn   int
}

// connNumber is the context key of a connection's number.
type connNumber struct{}

// newMemoryStore returns a store that responds normally until setHandler changes that, and a client of it.
func newMemoryStore(t testing.TB, cfg fluentcart.Config, configure ...func(*http.Server)) (*memoryStore, *fluentcart.Client) {
	t.Helper()
	store := &memoryStore{handler: respondNormally, conns: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{ErrorLog: log.New(io.Discard, "", 0), ConnContext: store.numbered, Handler: http.HandlerFunc(store.serve)}
	for _, configure := range configure {
		configure(server)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(store)
	}()
	transport := fluentcart.NewTransport()
	transport.DialContext = store.dial
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = server.Shutdown(context.Background()) // not Close: the handlers must end before the test does
		<-served
	})
	cfg.Transport = transport
	if cfg.BaseURL == "" {
		cfg.BaseURL = "http://store.example"
	}
	return store, newClientOf(t, cfg)
}

// setHandler replaces the handler of all further requests.
func (s *memoryStore) setHandler(handler http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handler = handler
}

func (s *memoryStore) serve(w http.ResponseWriter, r *http.Request) {
	number, _ := r.Context().Value(connNumber{}).(int)
	s.mu.Lock()
	s.requests = append(s.requests, arrival{r.Method, time.Now(), number})
	handler := s.handler
	s.mu.Unlock()
	handler(w, r)
}

func (s *memoryStore) numbered(ctx context.Context, _ net.Conn) context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accepted++
	return context.WithValue(ctx, connNumber{}, s.accepted)
}

func (s *memoryStore) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	s.mu.Lock()
	s.dials++
	s.mu.Unlock()
	if s.dialing != nil {
		if err := s.dialing(ctx); err != nil {
			return nil, err
		}
	}
	client, server := net.Pipe()
	select {
	case s.conns <- server:
		return client, nil
	case <-s.closed:
		return nil, syscall.ECONNREFUSED
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Accept implements net.Listener.
func (s *memoryStore) Accept() (net.Conn, error) {
	select {
	case conn := <-s.conns:
		return conn, nil
	case <-s.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener. The server calls it once.
func (s *memoryStore) Close() error {
	close(s.closed)
	return nil
}

// Addr implements net.Listener.
func (s *memoryStore) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }

// arrivals returns the requests that reached the store since its previous call, and the number of dials.
func (s *memoryStore) arrivals() (requests []arrival, dials int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	requests, dials = s.requests, s.dials
	s.requests, s.dials = nil, 0
	return requests, dials
}

// methods counts requests by their method.
func methods(requests []arrival) map[string]int {
	count := map[string]int{}
	for _, r := range requests {
		count[r.method]++
	}
	return count
}

// advance lets the fake time pass.
func advance(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // under synctest, where time is fake
}

// fillRetryBudget sends reads until the retry budget is full, and discards their arrivals. Their connections are not kept:
// on a kept connection a read may be sent again.
func (s *memoryStore) fillRetryBudget(t testing.TB, client *fluentcart.Client) {
	t.Helper()
	s.setHandler(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		respondNormally(w, r)
	})
	for range 50 {
		if err := get(t.Context(), client); err != nil {
			t.Fatal(err)
		}
	}
	s.arrivals()
}
