package fluentcart_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

func TestRetryAfterIsObeyedOnce(t *testing.T) {
	const never = time.Duration(-1)
	slow := func(http.ResponseWriter, *http.Request) { // fails after a second
		advance(time.Second)
		panic(http.ErrAbortHandler)
	}
	for _, row := range []struct {
		name     string
		store    http.HandlerFunc
		deadline time.Duration // of the caller; 0 is none
		again    time.Duration // when the second request arrives
		fails    bool
	}{
		{"a 429", inSequence(respondRetryAfter(429, "3"), respondNormally), 0, 3 * time.Second, false},
		{"a 503", inSequence(respondRetryAfter(503, "2"), respondNormally), 0, 2 * time.Second, false},
		{"the longest wait", inSequence(respondRetryAfter(503, "5"), respondNormally), 0, 5 * time.Second, false},
		{"a wait above the longest", inSequence(respondRetryAfter(503, "6"), respondNormally), 0, never, true},
		{"a wait far above the longest", inSequence(respondRetryAfter(429, "600"), respondNormally), 0, never, true},
		{"a date", inSequence(respondRetryAfter(503, "Sat, 01 Jan 2000 00:00:04 GMT"), respondNormally), 0, 4 * time.Second, false},
		{"a date that has passed", inSequence(respondRetryAfter(503, "Fri, 31 Dec 1999 00:00:00 GMT"), respondNormally), 0, never, true},
		{"a 500, which is not caused by load", inSequence(respondRetryAfter(500, "3"), respondNormally), 0, never, true},
		{"a negative number that overflows when it is multiplied", inSequence(respondRetryAfter(429, "-9223372036854775808"), respondNormally), 0, never, true},
		{"a negative number that overflows to a wait", inSequence(respondRetryAfter(429, "-18446744070"), respondNormally), 0, never, true},
		{"a wait of 0", inSequence(respondRetryAfter(429, "0"), respondNormally), 0, never, true},
		{"a second Retry-After", inSequence(respondRetryAfter(429, "3"), respondRetryAfter(503, "1"), respondNormally), 0, 3 * time.Second, true},
		{"a deadline that allows it", inSequence(respondRetryAfter(429, "3"), respondNormally), 3*time.Second + time.Millisecond, 3 * time.Second, false},
		{"a deadline that does not", inSequence(respondRetryAfter(429, "3"), respondNormally), 3 * time.Second, never, true},
		{"a wait that fits before a response that comes too late", inSequence(respondRetryAfter(429, "3"), slow), 3500 * time.Millisecond, 3 * time.Second, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store, client := newMemoryStore(t, fluentcart.Config{})
				store.fillRetryBudget(t, client)
				store.setHandler(row.store)
				ctx, start := t.Context(), time.Now()
				if row.deadline > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, row.deadline)
					defer cancel()
				}
				err := get(ctx, client)
				took := time.Since(start)
				if (err != nil) != row.fails {
					t.Errorf("got %v", err)
				}
				requests, _ := store.arrivals()
				switch {
				case row.again == never:
					if len(requests) != 1 || took != 0 {
						t.Errorf("sent %d times, ended after %s", len(requests), took)
					}
				case len(requests) != 2 || requests[1].at.Sub(start) != row.again:
					t.Errorf("got %v, want the second after %s", requests, row.again)
				}
			})
		})
	}
}

// A Retry-After is obeyed once. A request that fails in another way after that may be sent a third time.
func TestRetryAfterLeavesTheThirdTry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, client := newMemoryStore(t, fluentcart.Config{})
		store.fillRetryBudget(t, client)
		store.setHandler(inSequence(respondRetryAfter(503, "2"), respond(502, ``), respondNormally))
		if err := get(t.Context(), client); err != nil {
			t.Error(err)
		}
		if requests, _ := store.arrivals(); len(requests) != 3 {
			t.Errorf("sent %d times", len(requests))
		}
	})
}
