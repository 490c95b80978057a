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

// period is how long the breaker stays open, and a moment: at its very end it is open still.
const period = time.Second + time.Nanosecond

// bad plays a store behind which nobody works.
var bad = answering(502, `<html>`)

// breakerStore is a store, a client of it, and what the client's breaker has told.
type breakerStore struct {
	*bubbleStore
	client *fluentcart.Client
	told   []bool
}

func newBreakerStore(t testing.TB, cfg fluentcart.Config) *breakerStore {
	t.Helper()
	s := &breakerStore{}
	cfg.BreakerChanged = func(open bool) { s.told = append(s.told, open) }
	s.bubbleStore, s.client = newBubbleStore(t, cfg)
	return s
}

// breakDown makes the store fail until the breaker is open.
func (s *breakerStore) breakDown(t testing.TB) {
	t.Helper()
	s.play(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close") // on one that is kept, net/http itself may send the probe again
		bad(w, r)
	})
	for !s.client.Suspended() {
		_ = put(t.Context(), s.client, nil)
	}
	if requests, _ := s.arrivals(); len(requests) != 8 {
		t.Fatalf("open after %d failures, want 8", len(requests))
	}
}

func TestBreakerOpensWhenNobodyWorksThere(t *testing.T) {
	for _, row := range []struct {
		name    string
		store   http.HandlerFunc
		dialing func() error
		baseURL string
	}{
		{"502", bad, nil, ""},
		{"503 in WordPress's words", answering(503, maintenance), nil, ""},
		{"503 in other words", answering(503, `<html>`), nil, ""},
		{"503 in WordPress's words in a 500", answering(500, `{"code":"wp_die","data":{"status":503}}`), nil, ""},
		{"503 that says when to come back", askingToWait(503, "600"), nil, ""},
		{"504", answering(504, `<html>`), nil, ""},
		{"520", answering(520, `<html>`), nil, ""},
		{"a connection that is cut", cut, nil, ""},
		{"no answer in time", silent, nil, ""},
		{"nobody listens", works, func() error { return syscall.ECONNREFUSED }, ""},
		{"a handshake that fails", works, nil, "https://store.example"},
	} {
		for method, call := range map[string]func(context.Context, *fluentcart.Client) error{
			"GET": get,
			"PUT": func(ctx context.Context, client *fluentcart.Client) error { return put(ctx, client, nil) },
		} {
			t.Run(row.name+" to a "+method, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newBreakerStore(t, fluentcart.Config{BaseURL: row.baseURL, GetTimeout: time.Second, PutTimeout: time.Second})
					s.play(row.store)
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
					if !slices.Equal(s.told, []bool{true}) {
						t.Errorf("told %v", s.told)
					}
				})
			})
		}
	}
}

func TestBreakerStaysClosedWhenTheStoreSaysNo(t *testing.T) {
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
		{"a page under 200", answering(200, `<html>`), nil},
		{"a redirect", answering(301, ``), nil},
		{"400", answering(400, ``), nil},
		{"401", answering(401, ``), nil},
		{"403", answering(403, ``), nil},
		{"404", answering(404, ``), nil},
		{"422", answering(422, `{"email":{"exist":"Email already exists."}}`), nil},
		{"423", answering(423, ``), nil},
		{"429", answering(429, ``), nil},
		{"400 in a 500", answering(500, `{"code":400}`), nil},
		{"423 in a 500", answering(500, `{"code":423}`), nil},
		{"500 of PHP", answering(500, `{"code":"internal_server_error"}`), nil},
		{"500 without a word", answering(500, ``), nil},
		{"a caller who cancels", silent, cancelled},
		{"a caller whose time is up", silent, late},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newBreakerStore(t, fluentcart.Config{})
				s.play(row.store)
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
				if requests, _ := s.arrivals(); len(requests) != 40 || !s.client.Healthy() || len(s.told) != 0 {
					t.Errorf("%d requests of 40, told %v", len(requests), s.told)
				}
			})
		})
	}
}

// A write that its caller forbids says nothing about the store.
func TestBreakerDoesNotCountWritesThatWereNotBegun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newBreakerStore(t, fluentcart.Config{})
		for range 20 {
			if got := failure(t, put(t.Context(), s.client, forbidden)); got.Kind != fluentcart.NotBegun {
				t.Fatal(got)
			}
		}
		if requests, _ := s.arrivals(); len(requests) != 0 || !s.client.Healthy() {
			t.Errorf("%d requests, proven: %v", len(requests), s.client.Healthy())
		}
	})
}

func TestBreakerCountsFailuresInARow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newBreakerStore(t, fluentcart.Config{})
		fail := func(times int) {
			s.play(bad)
			for range times {
				_ = put(t.Context(), s.client, nil)
			}
		}
		fail(7)
		s.play(answering(422, ``)) // whoever refuses is at work
		_ = put(t.Context(), s.client, nil)
		fail(7)
		if !s.client.Healthy() {
			t.Fatal("open after 7 failures, an answer, and 7 failures")
		}
		s.play(silent)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_ = put(ctx, s.client, nil)
		_ = put(t.Context(), s.client, forbidden)
		if !s.client.Healthy() {
			t.Fatal("a caller who left counts as a failure")
		}
		fail(1)
		if !s.client.Suspended() {
			t.Error("a caller who left counts as an answer")
		}
	})
}
