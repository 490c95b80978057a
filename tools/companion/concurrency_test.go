package companion

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
)

func TestConcurrentUpdates(t *testing.T) {
	s := StartWordPress(t, Plugin)
	t.Run("50 of one customer are one chain", func(t *testing.T) { oneChain(t, s) })
	t.Run("those of different columns are all kept", func(t *testing.T) { allKept(t, s) })
	t.Run("those with one key are applied once", func(t *testing.T) { appliedOnce(t, s) })
}

func oneChain(t *testing.T, s *Store) {
	const updates = 50
	version := s.row(t, 1).version(t)
	var mu sync.Mutex
	after := map[string]string{} // version before, version after
	var all sync.WaitGroup
	for i := range updates {
		all.Go(func() {
			a := s.update(t.Context(), 1, fields{"notes": fmt.Sprint("update ", i)})
			mu.Lock()
			defer mu.Unlock()
			if a.Result != "applied" || after[a.Before.version(t)] != "" {
				t.Errorf("not applied, or a fork: %s", a.raw)
			}
			after[a.Before.version(t)] = a.Version
		})
	}
	all.Wait()
	for range updates {
		version = after[version]
	}
	if last := s.row(t, 1).version(t); version != last {
		t.Errorf("the chain ends at %q, the row is %q", version, last)
	}
}

// allKept lets each of ten callers change a column of its own, and a writer past the companion another one.
func allKept(t *testing.T, s *Store) {
	set := fields{"email": "new@example.com", "first_name": "Anne", "last_name": "de Groot", "city": "Lyon", "state": "ARA", "country": "BE", "postcode": "69001", "status": "inactive", "notes": "new"}
	var all sync.WaitGroup
	for column, value := range set {
		all.Go(func() {
			if a := s.update(t.Context(), 1, fields{column: value}); a.Result != "applied" {
				t.Errorf("%s: %s", column, a.raw)
			}
		})
	}
	all.Go(func() { s.sql(t, "UPDATE wp_fct_customers SET ltv = 1 WHERE id = 1") })
	all.Wait()
	row := s.row(t, 1)
	set["ltv"] = "1"
	for column, value := range set {
		if row.text(column) != value {
			t.Errorf("%s is %q, not %q", column, row.text(column), value)
		}
	}
}

func appliedOnce(t *testing.T, s *Store) {
	const attempts = 10
	key, results := newID(), make(chan string, attempts)
	inParallel(attempts, func(i int) {
		body := fields{"request_id": newID(), "key": key, "fingerprint": "same", "set": fields{"notes": fmt.Sprint("attempt ", i)}}
		results <- s.call(t.Context(), http.MethodPost, "customers/2", body, nil).Result
	})
	close(results)
	count := map[string]int{}
	for result := range results {
		count[result]++
	}
	if count["applied"] != 1 || count["already_applied"] != attempts-1 {
		t.Errorf("got %v", count)
	}
}
