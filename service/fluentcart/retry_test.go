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

func TestReadsThatMayYetSucceedAreSentAgain(t *testing.T) {
	bad, slow := answering(502, `<html>`), answering(504, `<html>`)
	for _, row := range []struct {
		name  string
		store http.HandlerFunc
		sent  int
		kind  fluentcart.Kind // 0 is success
	}{
		{"a 502, then a customer", inTurn(bad, works), 2, 0},
		{"a 504, then a customer", inTurn(slow, works), 2, 0},
		{"a connection that is cut, then a customer", inTurn(cut, works), 2, 0},
		{"two failures, then a customer", inTurn(cut, slow, works), 3, 0},
		{"a 502 each time", bad, 3, fluentcart.Broken},
		{"a 504 each time", slow, 3, fluentcart.Broken},
		{"a connection that is cut each time", cut, 3, fluentcart.NoAnswer},
		{"a 502, then what is final", inTurn(bad, answering(404, `{"code":"fluent_cart_entity_not_found"}`)), 2, fluentcart.NotFound},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store, client := newBubbleStore(t, fluentcart.Config{})
				store.saveUp(t, client)
				store.play(row.store)
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

func TestReadsThatNobodyTakesAreDialledAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, client := newBubbleStore(t, fluentcart.Config{})
		store.saveUp(t, client)
		store.dialing = func() error { return syscall.ECONNREFUSED }
		got := failure(t, get(t.Context(), client))
		if _, dials := store.arrivals(); got.Kind != fluentcart.Unreachable || got.Sent || dials != 3 {
			t.Errorf("%v, sent: %v, dialled %d times", got, got.Sent, dials)
		}
	})
}

func TestReadsThatAreAnsweredAreNotSentAgain(t *testing.T) {
	for _, row := range []struct {
		name   string
		status int
		body   string
		kind   fluentcart.Kind
	}{
		{"a page under 200", 200, `<html>`, fluentcart.BadAnswer},
		{"nothing under 200", 200, ``, fluentcart.BadAnswer},
		{"a redirect", 301, ``, fluentcart.Redirected},
		{"400", 400, `{"message":"x"}`, fluentcart.Rejected},
		{"401", 401, `{"code":"rest_forbidden"}`, fluentcart.Unauthenticated},
		{"403", 403, `{"code":"rest_forbidden"}`, fluentcart.Forbidden},
		{"404", 404, `{"code":"fluent_cart_entity_not_found"}`, fluentcart.NotFound},
		{"408", 408, `<html>`, fluentcart.Broken},
		{"422", 422, `{"email":{"exist":"Email already exists."}}`, fluentcart.Invalid},
		{"423", 423, `{"code":423}`, fluentcart.UserUpdateFailed},
		{"429 that does not say when to come back", 429, ``, fluentcart.RateLimited},
		{"500", 500, ``, fluentcart.Broken},
		{"500 of PHP", 500, `{"code":"internal_server_error","data":{"status":500}}`, fluentcart.Broken},
		{"423 in a 500", 500, `{"code":423}`, fluentcart.UserUpdateFailed},
		{"502 in a 500", 500, `{"code":502}`, fluentcart.Broken},
		{"503 that does not say when to come back", 503, maintenance, fluentcart.Unavailable},
		{"503 of what stands in front", 503, `<html>`, fluentcart.Broken},
		{"505", 505, `<html>`, fluentcart.Broken},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store, client := newBubbleStore(t, fluentcart.Config{})
				store.saveUp(t, client)
				store.play(answering(row.status, row.body))
				start := time.Now()
				got := failure(t, get(t.Context(), client))
				if requests, _ := store.arrivals(); len(requests) != 1 || got.Kind != row.kind || time.Since(start) != 0 {
					t.Errorf("sent %d times, %v after %s", len(requests), got, time.Since(start))
				}
			})
		})
	}
}

// A store that is too slow has too much to do as it is.
func TestReadsThatTimedOutAreNotSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, client := newBubbleStore(t, fluentcart.Config{GetTimeout: 3 * time.Second})
		store.saveUp(t, client)
		store.play(silent)
		start := time.Now()
		got := failure(t, get(t.Context(), client))
		requests, _ := store.arrivals()
		if len(requests) != 1 || got.Kind != fluentcart.NoAnswer || !errors.Is(got, context.DeadlineExceeded) || time.Since(start) != 3*time.Second {
			t.Errorf("sent %d times, %v after %s", len(requests), got, time.Since(start))
		}
	})
}

func TestReadsWhoseCallerLeavesAreNotSentAgain(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"before the answer":           silent,
		"in the pause before a retry": askingToWait(503, "3"),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store, client := newBubbleStore(t, fluentcart.Config{})
				store.saveUp(t, client)
				store.play(handler)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				time.AfterFunc(time.Second, cancel)
				start := time.Now()
				err := get(ctx, client)
				if took := time.Since(start); err == nil || took != time.Second {
					t.Errorf("got %v after %s", err, took)
				}
				pass(time.Minute)
				if requests, _ := store.arrivals(); len(requests) != 1 {
					t.Errorf("sent %d times", len(requests))
				}
			})
		})
	}
}

func TestRetryAfterIsObeyedOnce(t *testing.T) {
	const never = time.Duration(-1)
	sleepy := func(http.ResponseWriter, *http.Request) { // answers after a second
		pass(time.Second)
		panic(http.ErrAbortHandler)
	}
	for _, row := range []struct {
		name     string
		store    http.HandlerFunc
		deadline time.Duration // of the caller; 0 is none
		again    time.Duration // when the second request comes
		fails    bool
	}{
		{"a 429", inTurn(askingToWait(429, "3"), works), 0, 3 * time.Second, false},
		{"a 503", inTurn(askingToWait(503, "2"), works), 0, 2 * time.Second, false},
		{"the longest wait", inTurn(askingToWait(503, "5"), works), 0, 5 * time.Second, false},
		{"a longer one", inTurn(askingToWait(503, "6"), works), 0, never, true},
		{"a much longer one", inTurn(askingToWait(429, "600"), works), 0, never, true},
		{"a date", inTurn(askingToWait(503, "Sat, 01 Jan 2000 00:00:04 GMT"), works), 0, 4 * time.Second, false},
		{"a date that has passed", inTurn(askingToWait(503, "Fri, 31 Dec 1999 00:00:00 GMT"), works), 0, never, true},
		{"a 500, which is not about load", inTurn(askingToWait(500, "3"), works), 0, never, true},
		{"no wait", inTurn(askingToWait(429, "0"), works), 0, never, true},
		{"a second time", inTurn(askingToWait(429, "3"), askingToWait(503, "1"), works), 0, 3 * time.Second, true},
		{"a deadline that allows it", inTurn(askingToWait(429, "3"), works), 3*time.Second + time.Millisecond, 3 * time.Second, false},
		{"a deadline that does not", inTurn(askingToWait(429, "3"), works), 3 * time.Second, never, true},
		{"a wait that fits but does not end in time", inTurn(askingToWait(429, "3"), sleepy), 3500 * time.Millisecond, 3 * time.Second, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store, client := newBubbleStore(t, fluentcart.Config{})
				store.saveUp(t, client)
				store.play(row.store)
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

// The store asks once; what fails after that in another way may be sent a third time.
func TestRetryAfterDoesNotUseUpTheOtherRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, client := newBubbleStore(t, fluentcart.Config{})
		store.saveUp(t, client)
		store.play(inTurn(askingToWait(503, "2"), answering(502, ``), works))
		if err := get(t.Context(), client); err != nil {
			t.Error(err)
		}
		if requests, _ := store.arrivals(); len(requests) != 3 {
			t.Errorf("sent %d times", len(requests))
		}
	})
}

// Callers who failed together must not come back together.
func TestPausesAreFullJitter(t *testing.T) {
	const calls = 300
	var pauses [2][]time.Duration
	synctest.Test(t, func(t *testing.T) {
		store, client := newBubbleStore(t, fluentcart.Config{})
		store.saveUp(t, client)
		for range calls {
			store.play(inTurn(answering(502, ``), answering(502, ``), works))
			if err := get(t.Context(), client); err != nil {
				t.Fatal(err)
			}
			requests, _ := store.arrivals()
			for i := range pauses {
				pauses[i] = append(pauses[i], requests[i+1].at.Sub(requests[i].at))
			}
			pass(2 * time.Second) // two retries more
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
		for _, n := range quarters { // evenly: 75 each, and less than 30 is 7 standard deviations away
			if n < 30 {
				t.Errorf("pause %d by quarters of %s: %v", i+1, limit, quarters)
				break
			}
		}
	}
}

// What the store's 429 says is about the write that it refused: to be on the safe side a write goes once.
func TestWritesThatWereSentAreNotSentAgain(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"429": askingToWait(429, "1"), "503": askingToWait(503, "1"), "502": answering(502, ``), "504": answering(504, ``), "cut": cut,
		"too slow": func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store, client := newBubbleStore(t, fluentcart.Config{})
				store.saveUp(t, client)
				store.play(handler)
				got := failure(t, put(t.Context(), client, nil))
				if requests, _ := store.arrivals(); len(requests) != 1 || !got.Sent {
					t.Errorf("sent %d times, %v, sent: %v", len(requests), got, got.Sent)
				}
			})
		})
	}
}
