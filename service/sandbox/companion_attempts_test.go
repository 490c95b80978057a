package sandbox

import (
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRepeatedUpdateIsNotAppliedAgain(t *testing.T) {
	key := "AAAAAAAA-0000-4000-8000-00000000000A"
	first := fields{"request_id": attemptID(1), "set": fields{"city": newCity}, "key": key, "fingerprint": "f"}
	tests := []struct {
		name   string
		body   fields
		result string
	}{
		{"the same request_id", fields{"request_id": attemptID(1), "set": fields{"city": "Nice"}}, "already_applied"},
		{"the same key", fields{"request_id": attemptID(2), "set": fields{"city": "Nice"}, "key": key, "fingerprint": "f"}, "already_applied"},
		{"the same key in lower case", fields{"request_id": attemptID(2), "set": fields{"city": "Nice"}, "key": "aaaaaaaa-0000-4000-8000-00000000000a", "fingerprint": "f"}, "already_applied"},
		{"the same key with another fingerprint", fields{"request_id": attemptID(2), "set": fields{"city": "Nice"}, "key": key, "fingerprint": "g"}, "key_reused"},
		{"the same request_id comes before the key", fields{"request_id": attemptID(1), "set": fields{"city": "Nice"}, "key": key, "fingerprint": "g"}, "already_applied"},
		{"another request_id without a key", fields{"request_id": attemptID(2), "set": fields{"city": "Nice"}}, "applied"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			store := New(Config{Companion: true, KeepLog: true})
			wantResult(t, post(t, store, 1, first), "applied")
			answer := post(t, store, 1, tt.body)
			wantResult(t, answer, tt.result)
			writes := 1
			if tt.result == "applied" {
				writes = 2
			}
			if got := len(store.Writes()); got != writes {
				t.Errorf("%d writes, want %d", got, writes)
			}
			if tt.result == "already_applied" {
				customer, _ := answer["customer"].(map[string]any)
				if diff := cmp.Diff([]any{"city"}, answer["changed"]); diff != "" || customer["city"] != newCity || customer["labels"] == nil {
					t.Errorf("customer %v, changed (-want +got):\n%s", customer, diff)
				}
			}
			if id, _ := tt.body["request_id"].(string); id != attemptID(1) && tt.result != "applied" {
				wantResult(t, cancelUpdateOf(t, store, 2), "cancelled") // it is about the request_id, not about the key
			}
		})
	}
}

func TestUpdateThatWroteNothingCanBeRepeated(t *testing.T) {
	store := New(Config{Companion: true})
	body := fields{"request_id": attemptID(1), "set": fields{"email": "bob@example.com"}, "key": attemptID(9), "fingerprint": "f"}
	wantResult(t, post(t, store, 1, body), "refused")
	body["set"], body["fingerprint"] = fields{"city": newCity}, "g"
	wantResult(t, post(t, store, 1, body), "applied")
}

func TestCancellationIsFinal(t *testing.T) {
	tests := []struct {
		name    string
		updates bool // before the cancellation
		want    string
		city    string
	}{
		{"before the update", false, "cancelled", oldCity},
		{"after the update", true, "already_applied", newCity},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			store := New(Config{Companion: true, KeepLog: true})
			if tt.updates {
				wantResult(t, postSet(t, store, 1, 1, fields{"city": newCity}), "applied")
			}
			for range 2 {
				answer := cancelUpdateOf(t, store, 1)
				wantResult(t, answer, tt.want)
				if customer, _ := answer["customer"].(map[string]any); tt.updates && customer["city"] != newCity {
					t.Errorf("customer %v", customer)
				}
			}
			wantResult(t, postSet(t, store, 1, 1, fields{"city": "Nice"}), tt.want)
			wantCity(t, store, tt.city)
		})
	}
}

func TestLateUpdateIsNotAppliedAfterItsCancellation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tests := []struct {
			name   string
			wait   time.Duration // before the cancellation
			result string
			city   string
		}{
			{"cancelled before its work", time.Second, "cancelled", oldCity},
			{"cancelled after its work", 2 * time.Minute, "already_applied", newCity},
		}
		for _, tt := range tests {
			store := New(Config{Companion: true, KeepLog: true, Latency: time.Second, Fail: func(r *http.Request) *Failure {
				if Cancels(r) {
					return nil
				}
				return &Failure{Work: Late, LateBy: time.Minute}
			}})
			w := send(t, store, http.MethodPost, companionPrefix+"/customers/1", marshal(t, fields{
				"request_id": attemptID(1), "set": fields{"city": newCity},
			}))
			wantStatus(t, w, http.StatusGatewayTimeout)
			<-time.After(tt.wait)
			start := time.Now()
			wantResult(t, cancelUpdateOf(t, store, 1), tt.result)
			if took := time.Since(start); took != time.Second {
				t.Errorf("%s: the cancellation took %v, want the latency", tt.name, took)
			}
			store.Wait()
			wantCity(t, store, tt.city)
		}
	})
}

func TestConcurrentUpdateAndCancellationAgree(t *testing.T) {
	store := New(Config{Companion: true, KeepLog: true})
	agreeing := map[[2]string]bool{{"applied", "already_applied"}: true, {"cancelled", "cancelled"}: true}
	applied := 0
	for i := range 100 {
		var results [2]string
		var wg sync.WaitGroup
		wg.Go(func() { results[0], _ = postSet(t, store, 1, i, fields{"city": attemptID(i)})["result"].(string) })
		wg.Go(func() { results[1], _ = cancelUpdateOf(t, store, i)["result"].(string) })
		wg.Wait()
		if !agreeing[results] {
			t.Errorf("update and cancellation of the same id: %v", results)
		}
		if results[0] == "applied" {
			applied++
		}
	}
	if got := len(store.Writes()); got != applied {
		t.Errorf("%d writes, %d were answered as applied", got, applied)
	}
}

func TestCancellationNeedsAWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := New(Config{Companion: true, Workers: 1, Latency: time.Second})
		start := time.Now()
		go postSet(t, store, 1, 1, fields{"city": newCity})
		synctest.Wait() // the update holds the worker
		wantResult(t, cancelUpdateOf(t, store, 1), "already_applied")
		if took := time.Since(start); took != 2*time.Second {
			t.Errorf("took %v, want the latency twice", took)
		}
	})
}

func TestResetForgetsTheAttempts(t *testing.T) {
	store := New(Config{Companion: true})
	body := fields{"request_id": attemptID(1), "set": fields{"city": newCity}, "key": attemptID(9)}
	wantResult(t, post(t, store, 1, body), "applied")
	wantResult(t, cancelUpdateOf(t, store, 2), "cancelled")
	store.Reset()
	wantResult(t, post(t, store, 1, body), "applied")
	wantResult(t, postSet(t, store, 1, 2, fields{"city": "Nice"}), "applied")
}

func TestOldestAttemptsAreForgotten(t *testing.T) {
	store := New(Config{Companion: true})
	store.attempts = newAttempts(3)
	for i := range 4 {
		body := fields{"request_id": attemptID(i), "set": fields{"postcode": attemptID(i)}, "key": attemptID(100 + i)}
		wantResult(t, post(t, store, 1, body), "applied")
	}
	wantResult(t, cancelUpdateOf(t, store, 3), "already_applied")
	wantResult(t, cancelUpdateOf(t, store, 1), "already_applied")
	wantResult(t, post(t, store, 1, fields{"request_id": attemptID(4), "set": fields{"city": "Nice"}, "key": attemptID(100)}), "applied")
	if a := store.attempts; len(a.byID) != 3 || len(a.byKey) > 3 || len(a.order) != 3 {
		t.Errorf("%d attempts, %d keys, %d in order", len(a.byID), len(a.byKey), len(a.order))
	}
}

func TestFailReceivesTheRequestsOfTheCompanion(t *testing.T) {
	type purpose struct {
		Customer       int64
		Reads, Cancels bool
	}
	var got []purpose
	store := New(Config{Companion: true, Fail: func(r *http.Request) *Failure {
		customer, reads := Customer(r)
		got = append(got, purpose{customer, reads, Cancels(r)})
		if !reads && !Cancels(r) {
			return &Failure{Work: Never}
		}
		return nil
	}})
	send(t, store, http.MethodGet, customerPath(2), "")
	put(t, store, 2, ann(nil))
	send(t, store, http.MethodPost, companionPrefix+"/customers/3", `{"request_id":"`+attemptID(1)+`","set":{}}`)
	wantResult(t, cancelUpdateOf(t, store, 1), "cancelled")
	wantResult(t, cancelUpdateOf(t, store, 2), "cancelled")
	send(t, store, http.MethodGet, companionPrefix, "")
	want := []purpose{{2, true, false}, {2, false, false}, {3, false, false}, {3, false, true}, {0, false, true}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("purposes (-want +got):\n%s", diff)
	}
}
