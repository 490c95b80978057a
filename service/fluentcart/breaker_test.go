package fluentcart_test

import (
	"context"
	"net/http"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// period is slightly longer than the breaker stays open: at exactly one second it is still open.
const period = time.Second + time.Nanosecond

// breakerStore is a store, a client of it, and the changes that the client's breaker has reported.
type breakerStore struct {
	*memoryStore
	client  *fluentcart.Client
	changes []bool
}

func newBreakerStore(t testing.TB, cfg fluentcart.Config) *breakerStore {
	t.Helper()
	s := &breakerStore{}
	cfg.BreakerChanged = func(open bool) { s.changes = append(s.changes, open) }
	s.memoryStore, s.client = newMemoryStore(t, cfg)
	return s
}

// openBreaker makes the store fail until the breaker is open.
func (s *breakerStore) openBreaker(t testing.TB) {
	t.Helper()
	s.setHandler(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close") // on a kept connection net/http itself may send the probe again
		badGateway(w, r)
	})
	for !s.client.Suspended() {
		_ = put(t.Context(), s.client, nil)
	}
	if requests, _ := s.arrivals(); len(requests) != 8 {
		t.Fatalf("open after %d failures, want 8", len(requests))
	}
}

func TestBreakerOpensAfterEightFailures(t *testing.T) {
	for _, row := range []struct {
		name    string
		store   http.HandlerFunc
		dialing func(context.Context) error
		baseURL string
	}{
		{"502", badGateway, nil, ""},
		{"503 with WordPress's code", respond(503, maintenance), nil, ""},
		{"503 with a text", respond(503, `busy`), nil, ""},
		{"503 with WordPress's code in a 500", respond(500, `{"code":"wp_die","data":{"status":503}}`), nil, ""},
		{"503 with a Retry-After", respondRetryAfter(503, "600"), nil, ""},
		{"504", respond(504, `<html>`), nil, ""},
		{"520", respond(520, `<html>`), nil, ""},
		{"a connection that is cut", dropConnection, nil, ""},
		{"no response in time", neverRespond, nil, ""},
		{"a refused connection", respondNormally, func(context.Context) error { return syscall.ECONNREFUSED }, ""},
		{"a handshake that fails", respondNormally, nil, "https://store.example"},
	} {
		for method, call := range map[string]func(context.Context, *fluentcart.Client) error{
			"GET": get,
			"PUT": func(ctx context.Context, client *fluentcart.Client) error { return put(ctx, client, nil) },
		} {
			t.Run(row.name+" to a "+method, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newBreakerStore(t, fluentcart.Config{BaseURL: row.baseURL, GetTimeout: time.Second, PutTimeout: time.Second})
					s.setHandler(row.store)
					s.dialing = row.dialing
					for !s.client.Suspended() {
						if !s.client.Healthy() {
							t.Fatal("neither open nor closed")
						}
						if failure(t, call(t.Context(), s.client)).Kind == fluentcart.Suspended && !s.client.Suspended() {
							t.Fatal("a call was suspended while the breaker was closed")
						}
					}
					requests, dials := s.arrivals()
					if row.store == nil || row.dialing != nil || row.baseURL != "" {
						requests = make([]arrival, dials)
					}
					if len(requests) != 8 || s.client.Healthy() {
						t.Errorf("open after %d failures, want 8", len(requests))
					}
					if !slices.Equal(s.changes, []bool{true}) {
						t.Errorf("reported changes %v", s.changes)
					}
				})
			})
		}
	}
}

// A firewall answers a write with a page because of the texts in it (F30). A read has none, so there a 503 means that the
// store is down.
func TestPageWithStatus503OpensTheBreakerOnlyAfterReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newBreakerStore(t, fluentcart.Config{})
		s.setHandler(respond(503, `<html>`))
		for range 20 {
			_ = put(t.Context(), s.client, nil)
		}
		if !s.client.Healthy() {
			t.Error("writes opened the breaker")
		}
		for range 8 {
			_ = get(t.Context(), s.client)
		}
		if s.client.Healthy() {
			t.Error("reads did not open the breaker")
		}
	})
}

func TestBreakerStaysClosedWhenTheStoreRefuses(t *testing.T) {
	cancelled := func(ctx context.Context) (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithCancel(ctx)
		time.AfterFunc(time.Second, cancel)
		return ctx, cancel
	}
	late := func(ctx context.Context) (context.Context, context.CancelFunc) {
		return context.WithTimeout(ctx, time.Second)
	}
	for _, row := range []struct {
		name  string
		store http.HandlerFunc
		with  func(context.Context) (context.Context, context.CancelFunc)
	}{
		{"a page under 200", respond(200, `<html>`), nil},
		{"a redirect", respond(301, ``), nil},
		{"400", respond(400, ``), nil},
		{"401", respond(401, ``), nil},
		{"403", respond(403, ``), nil},
		{"404", respond(404, ``), nil},
		{"422", respond(422, `{"email":{"exist":"Email already exists."}}`), nil},
		{"423", respond(423, ``), nil},
		{"429", respond(429, ``), nil},
		{"400 in a 500", respond(500, `{"code":400}`), nil},
		{"423 in a 500", respond(500, `{"code":423}`), nil},
		{"500 of PHP", respond(500, `{"code":"internal_server_error"}`), nil},
		{"500 without a body", respond(500, ``), nil},
		{"500 of PHP in a 200 that a warning has set", respond(200, `<b>Warning</b>{"code":"internal_server_error","data":{"status":500}}`), nil},
		{"a caller who cancels", neverRespond, cancelled},
		{"a caller whose deadline passes", neverRespond, late},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newBreakerStore(t, fluentcart.Config{})
				s.setHandler(row.store)
				for range 20 {
					for _, call := range []func(context.Context) error{
						func(ctx context.Context) error { return get(ctx, s.client) },
						func(ctx context.Context) error { return put(ctx, s.client, nil) },
					} {
						ctx, cancel := t.Context(), context.CancelFunc(func() {})
						if row.with != nil {
							ctx, cancel = row.with(ctx)
						}
						_ = failure(t, call(ctx))
						cancel()
					}
				}
				if requests, _ := s.arrivals(); len(requests) != 40 || !s.client.Healthy() || len(s.changes) != 0 {
					t.Errorf("%d requests of 40, reported changes %v", len(requests), s.changes)
				}
			})
		})
	}
}

// A write that mayStart refuses shows nothing about the store.
func TestBreakerIgnoresWritesThatWereNotBegun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newBreakerStore(t, fluentcart.Config{})
		for range 20 {
			if got := failure(t, put(t.Context(), s.client, refuseStart)); got.Kind != fluentcart.NotBegun {
				t.Fatal(got)
			}
		}
		if requests, _ := s.arrivals(); len(requests) != 0 || !s.client.Healthy() {
			t.Errorf("%d requests, healthy: %v", len(requests), s.client.Healthy())
		}
	})
}

func TestBreakerCountsOnlyConsecutiveFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newBreakerStore(t, fluentcart.Config{})
		fail := func(times int) {
			s.setHandler(badGateway)
			for range times {
				_ = put(t.Context(), s.client, nil)
			}
		}
		fail(7)
		s.setHandler(respond(422, ``)) // a store that refuses is up
		_ = put(t.Context(), s.client, nil)
		fail(7)
		if !s.client.Healthy() {
			t.Fatal("open after 7 failures, a refusal, and 7 failures")
		}
		s.setHandler(neverRespond)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_ = put(ctx, s.client, nil)
		_ = put(t.Context(), s.client, refuseStart)
		if !s.client.Healthy() {
			t.Fatal("a caller that left counts as a failure")
		}
		fail(1)
		if !s.client.Suspended() {
			t.Error("a caller that left counts as a success")
		}
	})
}
