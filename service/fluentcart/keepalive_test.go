package fluentcart_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// visitors notes which requests came over which connections.
type visitors struct {
	mu  sync.Mutex
	got []visit
}

type visit struct{ Method, From string }

func (v *visitors) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	v.got = append(v.got, visit{r.Method, r.RemoteAddr})
	v.mu.Unlock()
	works(w, r)
}

// visits returns those since the latest call.
func (v *visitors) visits() []visit {
	v.mu.Lock()
	defer v.mu.Unlock()
	got := v.got
	v.got = nil
	return got
}

// Apache and LiteSpeed close a connection after five seconds: the client must have left it before.
func TestConnectionsAreDroppedBeforeTheStoreDoes(t *testing.T) {
	if idle := fluentcart.NewTransport().IdleConnTimeout; idle <= 0 || idle >= 5*time.Second {
		t.Errorf("idle connections are kept for %s", idle)
	}
	synctest.Test(t, func(t *testing.T) {
		closed := make(chan struct{})
		_, client := newBubbleStore(t, fluentcart.Config{}, func(server *http.Server) {
			server.IdleTimeout = 5 * time.Second
			server.ConnState = func(_ net.Conn, state http.ConnState) {
				if state == http.StateClosed {
					close(closed)
				}
			}
		})
		start := time.Now()
		if err := get(t.Context(), client); err != nil {
			t.Fatal(err)
		}
		<-closed
		if took := time.Since(start); took >= 5*time.Second || took < 3*time.Second {
			t.Errorf("the connection was closed after %s", took)
		}
	})
}

// A store that is restarted between two calls is not noticed.
func TestReadFindsItsConnectionClosed(t *testing.T) {
	var visitors visitors
	store := httptest.NewServer(&visitors)
	t.Cleanup(store.Close)
	client := newClientOf(t, fluentcart.Config{BaseURL: store.URL})
	for range 30 { // and so saves up retries
		if err := get(t.Context(), client); err != nil {
			t.Fatal(err)
		}
	}
	for range 20 {
		visitors.visits()
		store.CloseClientConnections()
		if errs := [2]error{get(t.Context(), client), put(t.Context(), client, nil)}; errs != [2]error{} {
			t.Fatal(errs)
		}
		got := visitors.visits()
		if len(got) != 2 || got[0].Method != http.MethodGet || got[1] != (visit{http.MethodPut, got[0].From}) {
			t.Fatalf("the store got %v", got)
		}
	}
}

// Whenever the store closes a connection that is idle, in the very moment that a read takes it too, the read works, and
// the write after it has the connection of the read.
func TestIdleConnectionsThatTheStoreCloses(t *testing.T) {
	const idle = 2 * time.Second
	for _, pause := range []time.Duration{0, idle / 2, idle - 1, idle, idle + 1, 2*idle - 1, 2 * idle, 3 * idle} {
		t.Run(pause.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store, client := newBubbleStore(t, fluentcart.Config{}, func(server *http.Server) { server.IdleTimeout = idle })
				store.saveUp(t, client)
				store.play(works)
				for range 50 {
					if errs := [2]error{get(t.Context(), client), put(t.Context(), client, nil)}; errs != [2]error{} {
						t.Fatal(errs)
					}
					requests, _ := store.arrivals()
					if diff := cmp.Diff(map[string]int{"GET": 1, "PUT": 1}, methods(requests)); diff != "" {
						t.Fatalf("requests (-want +got):\n%s", diff)
					}
					if requests[0].conn != requests[1].conn {
						t.Fatalf("the read used connection %d, the write %d", requests[0].conn, requests[1].conn)
					}
					pass(pause)
				}
			})
		})
	}
}

// A store that closes each connection after its answer, without a word: reads work, and a write goes once or not at all.
func TestConnectionsThatTheStoreClosesAfterEachAnswer(t *testing.T) {
	var visitors visitors
	store := httptest.NewUnstartedServer(&visitors)
	store.Config.ConnState = func(conn net.Conn, state http.ConnState) {
		if state == http.StateIdle {
			_ = conn.Close()
		}
	}
	store.Start()
	t.Cleanup(store.Close)
	for range 100 {
		client := newClientOf(t, fluentcart.Config{BaseURL: store.URL}) // with a retry
		for range 2 {
			if err := get(t.Context(), client); err != nil {
				t.Fatal(err)
			}
		}
		visitors.visits()
		err := put(t.Context(), client, nil)
		arrived := len(visitors.visits())
		if err == nil && arrived != 1 || err != nil && arrived > 0 || err != nil && !failure(t, err).Sent {
			t.Fatalf("%v, and %d writes arrived", err, arrived)
		}
	}
}
