package sandbox

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestEachWorkerServesOneRequestAtATime(t *testing.T) {
	tests := []struct {
		name    string
		workers int
		want    time.Duration
	}{
		{"one worker serves them one after another", 1, 8 * time.Second},
		{"four workers serve four at a time", 4, 2 * time.Second},
		{"a store without a limit serves all at once", 0, time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const requests = 8
				store := New(Config{Workers: tt.workers, Latency: time.Second})
				start := time.Now()
				var wg sync.WaitGroup
				for range requests {
					wg.Go(func() {
						if w := send(t, store, http.MethodGet, customerPath(1), ""); w.Code != http.StatusOK {
							t.Errorf("GET %d: %s", w.Code, w.Body)
						}
					})
				}
				synctest.Wait()
				if got := store.InFlight(); got != requests {
					t.Errorf("%d in flight, want all", got)
				}
				wg.Wait()
				if took := time.Since(start); took != tt.want {
					t.Errorf("took %v, want %v", took, tt.want)
				}
				if now, most := store.InFlight(), store.MaxInFlight(); now != 0 || most != requests {
					t.Errorf("%d in flight and %d at most, want 0 and %d", now, most, requests)
				}
			})
		})
	}
}

// moveFor sends a PUT that changes the city, and gives up after a time.
func moveFor(t testing.TB, store *Store, city string, timeout time.Duration) int {
	t.Helper()
	body, err := json.Marshal(ann(fields{"city": city}))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	r := httptest.NewRequestWithContext(ctx, http.MethodPut, customerPath(1), strings.NewReader(string(body)))
	r.Header.Set("Content-Type", "application/json")
	r.SetBasicAuth(AdminUsername, AdminPassword)
	w := httptest.NewRecorder()
	store.ServeHTTP(w, r)
	return w.Code
}

func TestRequestWithAWorkerSurvivesItsClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := New(Config{Workers: 1, Latency: time.Second, KeepLog: true})
		var wg sync.WaitGroup
		wg.Go(func() { moveFor(t, store, "worked on", time.Second/2) })
		synctest.Wait() // the request holds the worker
		wg.Go(func() {
			if code := moveFor(t, store, "waiting", time.Second/2); code != clientClosedRequest {
				t.Errorf("status %d for a client that has left", code)
			}
		})
		wg.Wait()
		writes := store.Writes()
		if len(writes) != 1 || *writes[0].After.City != "worked on" {
			t.Errorf("writes %+v, want the one that had a worker (F22)", writes)
		}
	})
}

func TestLateWorkKeepsItsWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := true
		store := New(Config{Workers: 1, KeepLog: true, Fail: func(*http.Request) *Failure {
			defer func() { first = false }()
			if first {
				return &Failure{Work: Late, LateBy: time.Minute}
			}
			return nil
		}})
		start := time.Now()
		wantStatus(t, put(t, store, 1, ann(fields{"city": "late"})), http.StatusGatewayTimeout)
		if took := time.Since(start); took != 0 {
			t.Errorf("the response took %v", took)
		}
		wantStatus(t, put(t, store, 1, ann(fields{"city": "next"})), http.StatusOK)
		store.Wait()

		writes := store.Writes()
		if len(writes) != 2 || *writes[0].After.City != "late" || *writes[1].After.City != "next" {
			t.Fatalf("writes %+v, want the late one first", writes)
		}
		for _, w := range writes {
			if after := w.Applied.Sub(start); after != time.Minute || !w.Received.Equal(start) {
				t.Errorf("%s: applied after %v, received %v", *w.After.City, after, w.Received)
			}
		}
	})
}

func TestDrippingDeliveryHoldsNoWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		body := strings.Repeat("a", 95)
		store := New(Config{Workers: 1, Fail: always(Failure{
			Delivery: Dripping, Piece: 10, Pause: time.Second, Instead: Response{Status: http.StatusOK, Body: body},
		})})
		start := time.Now()
		var wg sync.WaitGroup
		for range 2 { // concurrently: the one worker is free before the first piece is sent
			wg.Go(func() {
				w := send(t, store, http.MethodGet, customerPath(1), "")
				if got := w.Body.String(); got != body || !w.Flushed {
					t.Errorf("body %q, flushed %v", got, w.Flushed)
				}
			})
		}
		wg.Wait()
		if took := time.Since(start); took != 9*time.Second {
			t.Errorf("ten pieces took %v", took)
		}
	})
}

func TestBodiesThatAreTooLargeNeedNoWorker(t *testing.T) {
	store := New(Config{Workers: 1, Latency: never})
	w := send(t, store, http.MethodPut, customerPath(1), strings.Repeat(" ", maxBody+1))
	wantStatus(t, w, http.StatusRequestEntityTooLarge)
}
