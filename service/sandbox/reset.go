package sandbox

import (
	"reflect"
	"time"
)

// Reset restores the customers and the WordPress accounts that New made, drops pending late writes, and makes the companion
// forget all attempts. Passwords, the log of the writes and the limits stay, and so does the companion itself.
//
// A row that is restored gets a new updated_at, as any change of a row does. A client that has seen the row would take the
// old one for a read from a cache (F29).
func (s *Store) Reset() {
	customers, accounts := initialRows(s.extra)

	s.mu.Lock()
	defer s.mu.Unlock()
	for id, row := range customers {
		old := s.customers[id]
		row.UpdatedAt = old.UpdatedAt
		if !reflect.DeepEqual(row, old) {
			row.UpdatedAt = time.Now().UTC().Truncate(time.Second)
			if !row.UpdatedAt.After(old.UpdatedAt) { // the column holds whole seconds
				row.UpdatedAt = old.UpdatedAt.Add(time.Second)
			}
		}
		customers[id] = row
	}
	s.customers, s.accounts, s.attempts = customers, accounts, newAttempts(maxAttempts)
	s.resets++
}

func (s *Store) resetCount() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.resets
}
