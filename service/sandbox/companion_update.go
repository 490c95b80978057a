package sandbox

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"
)

// refusalJSON is FluentCart's response to the PUT in an update by the companion.
type refusalJSON struct {
	Status int             `json:"status"`
	Body   json.RawMessage `json:"body"`
}

// postUpdate handles POST /customers/{id} of the companion.
func (s *Store) postUpdate(w http.ResponseWriter, r *http.Request, id int64, received time.Time, f Failure) {
	body, ok := readBody(w, r)
	if !ok {
		return
	}
	if r.URL.RawQuery != "" {
		for name := range r.URL.Query() {
			// FluentCart's own handler reads the query of the outer request too.
			if name != "rest_route" {
				writeInvalidParam(w, http.MethodPost, name, "is not a parameter")
				return
			}
		}
	}
	p, ok := parseParams(r.Header.Get("Content-Type"), body)
	if !ok {
		invalidJSON.write(w)
		return
	}
	q, param, problem := parseAtomicRequest(p)
	if problem != "" {
		writeInvalidParam(w, http.MethodPost, param, problem)
		return
	}
	answer(w, http.MethodPost, q.id, s.updateAtomically(id, q, received, f))
}

// updateAtomically reads, merges and writes in one critical section, which is the transaction of the companion.
func (s *Store) updateAtomically(id int64, q atomicRequest, received time.Time, f Failure) companionJSON {
	s.mu.Lock()
	defer s.mu.Unlock()

	if a, known := s.earlier(q); known {
		return a
	}
	before, ok := s.customers[id]
	if !ok {
		return companionJSON{Result: resultMissing}
	}
	m := mergeInto(before, q.set)
	why := q.returns(before, m)
	if why == whyUnchanged && q.key != "" { // it succeeds, so a repetition must not write later what others have changed since
		s.attempts.set(q.id, &attempt{customer: id, result: resultApplied, key: q.key, fingerprint: q.fingerprint, changed: []string{}})
		return companionJSON{Result: resultApplied, Version: Version(before), Before: before.raw(), Customer: s.readForm(before), Changed: []string{}}
	}
	if why != "" {
		return companionJSON{Result: resultReturned, Why: why, Version: Version(before), Customer: s.readForm(before)}
	}
	switch {
	case f.Cause != "":
		return companionJSON{Result: resultFailed, Cause: f.Cause}
	case f.Refusal.Status != 0:
		return refusedBy(f.Refusal, before)
	}

	rollBack := s.savepoint(before)
	after, refusedPut := s.apply(id, m.body)
	if refusedPut != nil {
		return refusedBy(*refusedPut, before)
	}
	after = m.restoreNames(after)
	if unasked := m.unasked(before, after); len(unasked) > 0 {
		rollBack()
		return companionJSON{Result: resultFailed, Cause: "unasked_change", Columns: unasked}
	}
	s.customers[id] = after
	changed := differences(before, after)
	s.attempts.set(q.id, &attempt{customer: id, result: resultApplied, key: q.key, fingerprint: q.fingerprint, changed: changed})
	s.logWrite(Write{Customer: id, Received: received, Before: before, After: after, Atomic: true}, m.sent)
	customer := after.json(s.regions)
	return companionJSON{Result: resultApplied, Version: Version(after), Before: before.raw(), Customer: &customer, Changed: changed}
}

// whyUnchanged is why a row is returned that already is as asked.
const whyUnchanged = "unchanged"

// returns says why the row is returned and not written; empty if it is to be written.
func (q atomicRequest) returns(row Row, m merge) string {
	switch {
	case q.ifMatch != nil && !slices.Contains(q.ifMatch, Version(row)):
		return "if_match"
	case len(m.changed) == 0:
		return whyUnchanged
	case m.changes(q.keep...):
		return "keep"
	case row.isLinked() && row.Email != "" && m.changes("email"):
		return "email" // FluentCart would keep the e-mail (F7)
	}
	return ""
}

func refusedBy(r Response, before Row) companionJSON {
	return companionJSON{Result: resultRefused, Before: before.raw(), Answer: &refusalJSON{r.Status, json.RawMessage(r.Body)}}
}

// savepoint returns a function that restores a customer and its WordPress account. The caller holds the lock.
func (s *Store) savepoint(row Row) (rollBack func()) {
	if !row.isLinked() {
		return func() { s.customers[row.ID] = row }
	}
	account, ok := s.accounts[*row.UserID]
	return func() {
		s.customers[row.ID] = row
		if ok {
			s.accounts[*row.UserID] = account
		}
	}
}
