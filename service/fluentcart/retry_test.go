package fluentcart_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

const maintenance = `{"code":"wp_die","message":"Briefly unavailable for scheduled maintenance.","data":{"status":503}}`

func TestReadsAreRetriedAfterTemporaryFailures(t *testing.T) {
	gatewayTimeout := respond(504, `<html>`)
	for _, row := range []struct {
		name  string
		store http.HandlerFunc
		sent  int
		kind  fluentcart.Kind // 0 is success
	}{
		{"a 502, then a customer", inSequence(badGateway, respondNormally), 2, 0},
		{"a 504, then a customer", inSequence(gatewayTimeout, respondNormally), 2, 0},
		{"a dropped connection, then a customer", inSequence(dropConnection, respondNormally), 2, 0},
		{"two failures, then a customer", inSequence(dropConnection, gatewayTimeout, respondNormally), 3, 0},
		{"a 502 each time", badGateway, 3, fluentcart.Broken},
		{"a 504 each time", gatewayTimeout, 3, fluentcart.Broken},
		{"a dropped connection each time", dropConnection, 3, fluentcart.NoAnswer},
		{"a 502, then a refusal", inSequence(badGateway, respond(404, `{"code":"fluent_cart_entity_not_found"}`)), 2, fluentcart.NotFound},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store, client := newMemoryStore(t, fluentcart.Config{})
				store.fillRetryBudget(t, client)
				store.setHandler(row.store)
				err := get(t.Context(), client)
				if requests, _ := store.arrivals(); len(requests) != row.sent {
					t.Errorf("sent %d times, want %d", len(requests), row.sent)
				}
				if row.kind == 0 && err != nil || row.kind != 0 && failure(t, err).Kind != row.kind {
					t.Errorf("got %v, want kind %v", err, row.kind)
				}
			})
		})
	}
}

func TestReadsAreRetriedIfNoConnectionOpens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, client := newMemoryStore(t, fluentcart.Config{})
		store.fillRetryBudget(t, client)
		store.dialing = func(context.Context) error { return syscall.ECONNREFUSED }
		got := failure(t, get(t.Context(), client))
		if _, dials := store.arrivals(); got.Kind != fluentcart.Unreachable || got.Sent || dials != 3 {
			t.Errorf("%v, sent: %v, %d dials", got, got.Sent, dials)
		}
	})
}

func TestReadsAreNotRetriedAfterOtherResponses(t *testing.T) {
	for _, row := range []struct {
		name   string
		status int
		body   string
		kind   fluentcart.Kind
	}{
		{"a page under 200", 200, `<html>`, fluentcart.Blocked},
		{"an empty 200", 200, ``, fluentcart.BadAnswer},
		{"a redirect", 301, ``, fluentcart.Redirected},
		{"400", 400, `{"message":"x"}`, fluentcart.Rejected},
		{"401", 401, `{"code":"rest_forbidden"}`, fluentcart.Unauthenticated},
		{"403", 403, `{"code":"rest_forbidden"}`, fluentcart.Forbidden},
		{"404", 404, `{"code":"fluent_cart_entity_not_found"}`, fluentcart.NotFound},
		{"408", 408, `<html>`, fluentcart.Broken},
		{"422", 422, `{"email":{"exist":"Email already exists."}}`, fluentcart.Invalid},
		{"423", 423, `{"code":423}`, fluentcart.UserUpdateFailed},
		{"429 without a Retry-After", 429, ``, fluentcart.RateLimited},
		{"500", 500, ``, fluentcart.Broken},
		{"500 of PHP", 500, `{"code":"internal_server_error","data":{"status":500}}`, fluentcart.Broken},
		{"423 in a 500", 500, `{"code":423}`, fluentcart.UserUpdateFailed},
		{"502 in a 500", 500, `{"code":502}`, fluentcart.Broken},
		{"503 without a Retry-After", 503, maintenance, fluentcart.Unavailable},
		{"503 of a proxy", 503, `busy`, fluentcart.Broken},
		{"503 with a page", 503, `<html>`, fluentcart.Blocked},
		{"505", 505, `<html>`, fluentcart.Broken},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store, client := newMemoryStore(t, fluentcart.Config{})
				store.fillRetryBudget(t, client)
				store.setHandler(respond(row.status, row.body))
				start := time.Now()
				got := failure(t, get(t.Context(), client))
				if requests, _ := store.arrivals(); len(requests) != 1 || got.Kind != row.kind || time.Since(start) != 0 {
					t.Errorf("sent %d times, %v after %s", len(requests), got, time.Since(start))
				}
			})
		})
	}
}

// A store that is too slow is overloaded already.
func TestReadsAreNotRetriedAfterATimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, client := newMemoryStore(t, fluentcart.Config{GetTimeout: 3 * time.Second})
		store.fillRetryBudget(t, client)
		store.setHandler(neverRespond)
		start := time.Now()
		got := failure(t, get(t.Context(), client))
		requests, _ := store.arrivals()
		if len(requests) != 1 || got.Kind != fluentcart.NoAnswer || !errors.Is(got, context.DeadlineExceeded) || time.Since(start) != 3*time.Second {
			t.Errorf("sent %d times, %v after %s", len(requests), got, time.Since(start))
		}
	})
}

func TestReadsAreNotRetriedAfterTheirCallerLeft(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"before the response":         neverRespond,
		"in the pause before a retry": respondRetryAfter(503, "3"),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store, client := newMemoryStore(t, fluentcart.Config{})
				store.fillRetryBudget(t, client)
				store.setHandler(handler)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				time.AfterFunc(time.Second, cancel)
				start := time.Now()
				err := get(ctx, client)
				if took := time.Since(start); err == nil || took != time.Second {
					t.Errorf("got %v after %s", err, took)
				}
				advance(time.Minute)
				if requests, _ := store.arrivals(); len(requests) != 1 {
					t.Errorf("sent %d times", len(requests))
				}
			})
		})
	}
}

// Calls that failed at the same time must not be retried at the same time.
func TestPausesHaveFullJitter(t *testing.T) {
	const calls = 300
	var pauses [2][]time.Duration
	synctest.Test(t, func(t *testing.T) {
		store, client := newMemoryStore(t, fluentcart.Config{})
		store.fillRetryBudget(t, client)
		for range calls {
			store.setHandler(inSequence(respond(502, ``), respond(502, ``), respondNormally))
			if err := get(t.Context(), client); err != nil {
				t.Fatal(err)
			}
			requests, _ := store.arrivals()
			for i := range pauses {
				pauses[i] = append(pauses[i], requests[i+1].at.Sub(requests[i].at))
			}
			advance(2 * time.Second) // refills the budget with two retries
		}
	})
	for i, drawn := range pauses {
		limit, quarters := 50*time.Millisecond<<i, [4]int{}
		for _, pause := range drawn {
			if pause < 0 || pause >= limit {
				t.Fatalf("pause %d of %s, want less than %s", i+1, pause, limit)
			}
			quarters[4*pause/limit]++
		}
		for _, n := range quarters { // a uniform draw has 75 in each; less than 30 is 7 standard deviations away
			if n < 30 {
				t.Errorf("pause %d by quarters of %s: %v", i+1, limit, quarters)
				break
			}
		}
	}
}

// A write is sent once, to be safe, even if the store asks to wait and try again.
func TestSentWritesAreNotRetried(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"429": respondRetryAfter(429, "1"), "503": respondRetryAfter(503, "1"), "502": respond(502, ``), "504": respond(504, ``), "a dropped connection": dropConnection,
		"a timeout": func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store, client := newMemoryStore(t, fluentcart.Config{})
				store.fillRetryBudget(t, client)
				store.setHandler(handler)
				got := failure(t, put(t.Context(), client, nil))
				if requests, _ := store.arrivals(); len(requests) != 1 || !got.Sent {
					t.Errorf("sent %d times, %v, sent: %v", len(requests), got, got.Sent)
				}
			})
		})
	}
}
