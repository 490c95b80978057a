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

// connectionLog is a store that records which request came over which connection.
type connectionLog struct {
	mu  sync.Mutex
	got []logEntry
}

type logEntry struct{ Method, From string }

func (l *connectionLog) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	l.got = append(l.got, logEntry{r.Method, r.RemoteAddr})
	l.mu.Unlock()
	respondNormally(w, r)
}

// take returns the requests since its previous call.
func (l *connectionLog) take() []logEntry {
	l.mu.Lock()
	defer l.mu.Unlock()
	got := l.got
	l.got = nil
	return got
}

// Apache and LiteSpeed close an idle connection after 5 s: the client must drop it before.
func TestIdleConnectionsAreDroppedBeforeTheStoreClosesThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		closed := make(chan struct{})
		_, client := newMemoryStore(t, fluentcart.Config{}, func(server *http.Server) {
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

func TestReadSurvivesARestartOfTheStore(t *testing.T) {
	var log connectionLog
	store := httptest.NewServer(&log)
	t.Cleanup(store.Close)
	client := newClientOf(t, fluentcart.Config{BaseURL: store.URL})
	for range 30 { // fills the retry budget
		if err := get(t.Context(), client); err != nil {
			t.Fatal(err)
		}
	}
	for range 20 {
		log.take()
		store.CloseClientConnections()
		if errs := [2]error{get(t.Context(), client), put(t.Context(), client, nil)}; errs != [2]error{} {
			t.Fatal(errs)
		}
		got := log.take()
		if len(got) != 2 || got[0].Method != http.MethodGet || got[1] != (logEntry{http.MethodPut, got[0].From}) {
			t.Fatalf("the store got %v", got)
		}
	}
}

// The store may close an idle connection at any moment, also when a read takes it. The read succeeds all the same, and the
// write after it uses the connection of the read.
func TestReadSurvivesAConnectionClosedWhileIdle(t *testing.T) {
	const idle = 2 * time.Second
	for _, pause := range []time.Duration{0, idle / 2, idle - 1, idle, idle + 1, 2*idle - 1, 2 * idle, 3 * idle} {
		t.Run(pause.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store, client := newMemoryStore(t, fluentcart.Config{}, func(server *http.Server) { server.IdleTimeout = idle })
				store.fillRetryBudget(t, client)
				store.setHandler(respondNormally)
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
					advance(pause)
				}
			})
		})
	}
}

// The store closes each connection after its response, without announcing it. Reads succeed, and a write is sent once or not
// at all.
func TestWriteIsSentAtMostOnceToAStoreThatClosesEachConnection(t *testing.T) {
	var log connectionLog
	store := httptest.NewUnstartedServer(&log)
	store.Config.ConnState = func(conn net.Conn, state http.ConnState) {
		if state == http.StateIdle {
			_ = conn.Close()
		}
	}
	store.Start()
	t.Cleanup(store.Close)
	for range 100 {
		client := newClientOf(t, fluentcart.Config{BaseURL: store.URL}) // whose budget has one retry
		for range 2 {
			if err := get(t.Context(), client); err != nil {
				t.Fatal(err)
			}
		}
		log.take()
		err := put(t.Context(), client, nil)
		arrived := len(log.take())
		if err == nil && arrived != 1 || err != nil && arrived > 0 || err != nil && !failure(t, err).Sent {
			t.Fatalf("%v, and %d writes arrived", err, arrived)
		}
	}
}
