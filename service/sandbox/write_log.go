package sandbox

import (
	"maps"
	"time"
)

// Write is one PUT that the store applied. A PUT that changed no column is a write as well; a refused PUT is not. Both times
// have a monotonic reading, so that they can be compared with a client's.
type Write struct {
	Customer int64
	// Received is when the request reached the store; it may have waited for a worker since.
	Received time.Time
	// Applied is when the row changed, or would have changed.
	Applied time.Time
	// Before and After are the whole row; they are equal if the write changed no column.
	Before, After Row
	// Sent holds the texts of the writable fields by their name in the body, as they were before the store sanitized and
	// truncated them (F9, F10). A field that was left out or null is not in it; both clear the column (F2).
	Sent map[string]string
}

// Writes returns copies of all writes so far, in the order in which they were applied. Without Config.KeepLog there are none.
func (s *Store) Writes() []Write {
	s.mu.RLock()
	defer s.mu.RUnlock()
	writes := make([]Write, len(s.log))
	for i, w := range s.log {
		w.Before, w.After, w.Sent = w.Before.clone(), w.After.clone(), maps.Clone(w.Sent)
		writes[i] = w
	}
	return writes
}

// logWrite adds a write to the log. The caller holds the lock, so the log has the order of the writes.
func (s *Store) logWrite(received time.Time, before, after Row, p params) {
	if !s.keepLog {
		return
	}
	s.log = append(s.log, Write{
		Customer: after.ID,
		Received: received,
		Applied:  time.Now(),
		Before:   before,
		After:    after,
		Sent:     p.sent(),
	})
}

// sent returns the texts of the fields that reach a column. It leaves out lists, which only the user_id can be: the number that
// PHP makes of a list is not a text that was sent.
func (p params) sent() map[string]string {
	sent := make(map[string]string, len(columnFields))
	for _, field := range columnFields {
		if v := p[field]; len(v) > 0 && v[0] != '[' && v[0] != '{' {
			if text := castText(v); text != nil {
				sent[field] = *text
			}
		}
	}
	return sent
}
