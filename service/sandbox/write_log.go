package sandbox

import (
	"maps"
	"time"
)

// Write is one update that the store applied: a PUT, or a POST to the companion. One that changed no column is a write as
// well, unless the companion did not write at all; one that was refused is not. Both times have a monotonic reading, so that
// they can be compared with a client's.
type Write struct {
	Customer int64
	// Received is when the request reached the store; it may have waited for a worker since.
	Received time.Time
	// Applied is when the row changed, or would have changed.
	Applied time.Time
	// Before and After are the whole row; they are equal if the write changed no column.
	Before, After Row
	// Sent holds the texts of the writable fields by their name in the body, as they were before the store sanitized and
	// truncated them (F9, F10). A field that a PUT left out or sent as null is not in it; both clear the column (F2).
	Sent map[string]string
	// Atomic is an update by the companion. Sent then holds only the values that differed from the row, and every other
	// column was kept.
	Atomic bool
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

// logWrite adds a write, with what it sent, to the log. The caller holds the lock, so the log has the order of the writes.
func (s *Store) logWrite(w Write, sent params) {
	if !s.keepLog {
		return
	}
	w.Applied, w.Sent = time.Now(), sent.sent()
	s.log = append(s.log, w)
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
