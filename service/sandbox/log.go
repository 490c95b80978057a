package sandbox

import (
	"maps"
	"time"
)

// Write is one PUT that the store applied. One that changed no column is a write as well; one that was refused is
// none. Both times have a monotonic reading, so that they compare with a caller's.
type Write struct {
	Customer int64
	// Received is when the request reached the store; it may have waited for a worker since.
	Received time.Time
	// Applied is when the row changed, or would have.
	Applied time.Time
	// Before and After are the whole row; they are equal where the write changed no column.
	Before, After Row
	// Sent are the texts that were sent for what a PUT can change, by the name of the field in the body: as they were
	// before the store cleaned and cut them (F9, F10). A field left out or null is not in it; both clear the column (F2).
	Sent map[string]string
}

// Writes returns copies of all writes so far, in the order in which they were applied. It is empty without
// Config.KeepLog.
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

// logWrite adds to the log. The caller holds the lock, which puts the log in the order of the writes.
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

// sent are the texts of the fields that reach a column. A list can stand for the user_id only; what PHP makes of one
// is no text that anybody sent.
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
