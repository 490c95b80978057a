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

// bubbleStore is a store in a bubble of synctest: a real server behind a real transport. Pipes join them, because fake
// time stands still while a goroutine waits for a socket.
type bubbleStore struct {
	conns  chan net.Conn
	closed chan struct{}
	// dialing, if set, is what a dial meets first.
	dialing func() error

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

// connNumber is the key of a connection's number in its context.
type connNumber struct{}

// newBubbleStore returns a store in which all goes well until it plays something else, and a client of it.
func newBubbleStore(t testing.TB, cfg fluentcart.Config, configure ...func(*http.Server)) (*bubbleStore, *fluentcart.Client) {
	t.Helper()
	store := &bubbleStore{handler: works, conns: make(chan net.Conn), closed: make(chan struct{})}
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
		_ = server.Shutdown(context.Background()) // not Close: the handlers must have ended before the bubble does
		<-served
	})
	cfg.Transport = transport
	if cfg.BaseURL == "" {
		cfg.BaseURL = "http://store.example"
	}
	return store, newClientOf(t, cfg)
}

// play changes what answers.
func (s *bubbleStore) play(handler http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handler = handler
}

func (s *bubbleStore) serve(w http.ResponseWriter, r *http.Request) {
	number, _ := r.Context().Value(connNumber{}).(int)
	s.mu.Lock()
	s.requests = append(s.requests, arrival{r.Method, time.Now(), number})
	handler := s.handler
	s.mu.Unlock()
	handler(w, r)
}

func (s *bubbleStore) numbered(ctx context.Context, _ net.Conn) context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accepted++
	return context.WithValue(ctx, connNumber{}, s.accepted)
}

func (s *bubbleStore) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	s.mu.Lock()
	s.dials++
	s.mu.Unlock()
	if s.dialing != nil {
		if err := s.dialing(); err != nil {
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

// Accept is that of net.Listener.
func (s *bubbleStore) Accept() (net.Conn, error) {
	select {
	case conn := <-s.conns:
		return conn, nil
	case <-s.closed:
		return nil, net.ErrClosed
	}
}

// Close is that of net.Listener. The server closes it once.
func (s *bubbleStore) Close() error {
	close(s.closed)
	return nil
}

// Addr is that of net.Listener.
func (s *bubbleStore) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }

// arrivals returns the requests that have reached the store since the latest call, and how often it was dialled.
func (s *bubbleStore) arrivals() (requests []arrival, dials int) {
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

// pass lets fake time pass.
func pass(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // in a bubble of synctest, where time is fake
}

// inTurn gives each request to the next handler; the last one gets the rest.
func inTurn(handlers ...http.HandlerFunc) http.HandlerFunc {
	var mu sync.Mutex
	next := 0
	return func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		handler := handlers[min(next, len(handlers)-1)]
		next++
		mu.Unlock()
		handler(w, r)
	}
}

// cut plays a store that dies over a request.
func cut(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// askingToWait plays a store that answers with a Retry-After.
func askingToWait(status int, retryAfter string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", retryAfter)
		w.WriteHeader(status)
	}
}

// saveUp makes reads until all the retries that can be saved up are there, and forgets them. Their connections are not
// kept: on one that is, net/http itself may send a read again.
func (s *bubbleStore) saveUp(t testing.TB, client *fluentcart.Client) {
	t.Helper()
	s.play(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		works(w, r)
	})
	for range 50 {
		if err := get(t.Context(), client); err != nil {
			t.Fatal(err)
		}
	}
	s.arrivals()
}
