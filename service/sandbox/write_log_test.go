package sandbox

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestWritesAreLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := New(Config{KeepLog: true, Latency: time.Second})
		start := time.Now()
		before := rowOf(t, store, 1)
		wantStatus(t, put(t, store, 1, fields{
			"id": 1, "email": "ann@example.com", "full_name": "Ann Lee", "city": " Lyon ", "notes": "a\nb", "aov": 75.0,
			"state": nil, "user_id": []int{}, "shoes": "43",
		}), http.StatusOK)
		after := rowOf(t, store, 1)
		wantStatus(t, put(t, store, 4, fields{"id": 4}), http.StatusUnprocessableEntity) // refused, so not a write
		wantStatus(t, put(t, store, 999, fields{"email": "a@b.co", "full_name": "A"}), http.StatusInternalServerError)
		wantStatus(t, send(t, store, http.MethodGet, customerPath(1), ""), http.StatusOK)

		want := []Write{{
			Customer: 1,
			Received: start,
			Applied:  start.Add(time.Second),
			Before:   before,
			After:    after,
			Sent: map[string]string{
				"email": "ann@example.com", "full_name": "Ann Lee", "city": " Lyon ", "notes": "a\nb", "aov": "75",
			},
		}}
		if diff := cmp.Diff(want, store.Writes()); diff != "" {
			t.Errorf("writes (-want +got)\n%s", diff)
		}
	})
}

func TestWriteWithoutAChangeIsLogged(t *testing.T) {
	store := New(Config{KeepLog: true})
	wantStatus(t, put(t, store, 1, ann(nil)), http.StatusOK)
	writes := store.Writes()
	if len(writes) != 1 {
		t.Fatalf("writes %+v, want one", writes)
	}
	if diff := cmp.Diff(writes[0].Before, writes[0].After); diff != "" {
		t.Errorf("the row changed (-before +after)\n%s", diff)
	}
}

func TestWritesAreCopies(t *testing.T) {
	store := New(Config{KeepLog: true})
	wantStatus(t, put(t, store, 1, ann(fields{"city": newCity})), http.StatusOK)
	want := store.Writes()
	got := store.Writes()
	*got[0].Before.City, *got[0].After.City, got[0].Sent["city"] = "overwritten", "overwritten", "overwritten"
	if diff := cmp.Diff(want, store.Writes()); diff != "" {
		t.Errorf("the caller changed the log (-want +got)\n%s", diff)
	}
	wantCity(t, store, newCity)
}

func TestNothingIsLoggedByDefault(t *testing.T) {
	store := New(Config{})
	wantStatus(t, put(t, store, 1, ann(fields{"city": newCity})), http.StatusOK)
	if writes := store.Writes(); len(writes) != 0 {
		t.Errorf("writes %+v", writes)
	}
}
