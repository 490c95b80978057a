package sandbox

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
)

func TestConcurrentRequestsSeeWholeRows(t *testing.T) {
	const writers, writes = 8, 25
	store := New(Config{})
	var wg sync.WaitGroup
	for writer := range writers {
		wg.Go(func() {
			for i := range writes {
				city := fmt.Sprintf("City %d-%d", writer, i)
				// Both fields have the same text, so that a row with fields of two writers is detected.
				if w := put(t, store, 1, ann(fields{"city": city, "notes": city})); w.Code != http.StatusOK {
					t.Errorf("PUT %d: %s", w.Code, w.Body)
				}
				if w := send(t, store, http.MethodGet, customerPath(1), ""); w.Code != http.StatusOK {
					t.Errorf("GET %d: %s", w.Code, w.Body)
				}
				for _, row := range store.Rows() {
					if row.ID == 1 && *row.City != row.Notes && row.Notes != "prefers email" {
						t.Errorf("a torn row: city %q, notes %q", *row.City, row.Notes)
					}
				}
			}
		})
	}
	wg.Wait()
}

func TestConcurrentWritesCannotTakeTheSameEmail(t *testing.T) {
	store := New(Config{})
	ids := []int64{1, 4} // the two customers that are not linked to a WordPress user
	codes := make([]int, len(ids))
	var wg sync.WaitGroup
	for i, id := range ids {
		wg.Go(func() {
			codes[i] = put(t, store, id, fields{"id": id, "email": "same@example.com", "full_name": "Ann Lee"}).Code
		})
	}
	wg.Wait()
	if codes[0]+codes[1] != http.StatusOK+http.StatusUnprocessableEntity {
		t.Errorf("statuses %v, want one 200 and one 422", codes)
	}
}
