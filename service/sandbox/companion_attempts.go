package sandbox

import (
	"net/http"
	"regexp"
	"strings"
)

// maxAttempts bounds how many attempts the companion remembers. Older ones are forgotten, as the plug-in forgets those of
// the day before.
const maxAttempts = 100_000

// attempt is what the companion remembers of one request_id.
type attempt struct {
	customer         int64
	result           string // resultApplied, resultCancelled, or empty: the update was only received
	key, fingerprint string
	changed          []string
}

// attempts are the companion's table. The store's lock guards it.
type attempts struct {
	most  int
	byID  map[string]*attempt
	byKey map[string]*attempt // those that were applied
	order []string            // the ids, the oldest first
}

func newAttempts(most int) *attempts {
	return &attempts{most: most, byID: map[string]*attempt{}, byKey: map[string]*attempt{}}
}

// find returns the attempt, or nil.
func (as *attempts) find(id string) *attempt { return as.byID[id] }

// findKey returns the attempt that was applied with the key, or nil. No attempt has an empty key.
func (as *attempts) findKey(key string) *attempt { return as.byKey[key] }

// set remembers an attempt in place of what is known of its id, and forgets the oldest one if there are too many.
func (as *attempts) set(id string, a *attempt) {
	if as.byID[id] == nil {
		as.order = append(as.order, id)
	}
	as.byID[id] = a
	if a.result == resultApplied && a.key != "" {
		as.byKey[a.key] = a
	}
	if len(as.order) > as.most {
		oldest := as.byID[as.order[0]]
		delete(as.byID, as.order[0])
		if as.byKey[oldest.key] == oldest {
			delete(as.byKey, oldest.key)
		}
		as.order = as.order[1:]
	}
}

// noteReceived remembers the customer of an update that the store has received, whatever becomes of the update. Customer
// returns this customer for the update's cancellation.
func (s *Store) noteReceived(body []byte, customer int64) {
	p, _ := parseParams(jsonType, body)
	id, ok := p.uuid("request_id")
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.attempts.find(id) == nil {
		s.attempts.set(id, &attempt{customer: customer})
	}
}

// cancel handles DELETE /requests/{request_id}. It waits for the lock, and so for an update that is being worked on.
func (s *Store) cancel(w http.ResponseWriter, id string) {
	answer(w, http.MethodDelete, id, s.cancelAttempt(id))
}

func (s *Store) cancelAttempt(id string) companionJSON {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.attempts.find(id)
	if a == nil {
		a = &attempt{}
	}
	if a.result == resultApplied {
		return s.alreadyApplied(a)
	}
	s.attempts.set(id, &attempt{customer: a.customer, result: resultCancelled})
	return companionJSON{Result: resultCancelled}
}

// earlier returns the answer to an update that was applied or cancelled before, or whose key was used. The caller holds the
// lock.
func (s *Store) earlier(q atomicRequest) (companionJSON, bool) {
	if a := s.attempts.find(q.id); a != nil && a.result != "" {
		if a.result == resultCancelled {
			return companionJSON{Result: resultCancelled}, true
		}
		return s.alreadyApplied(a), true
	}
	switch a := s.attempts.findKey(q.key); {
	case a == nil:
		return companionJSON{}, false
	case a.fingerprint != q.fingerprint:
		return companionJSON{Result: resultKeyReused}, true
	default:
		return s.alreadyApplied(a), true
	}
}

func (s *Store) alreadyApplied(a *attempt) companionJSON {
	return companionJSON{Result: resultAlreadyApplied, Changed: a.changed, Customer: s.readForm(s.customers[a.customer])}
}

var uuid = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// parseUUID returns the canonical form of a UUID, which is lower case.
func parseUUID(s string) (string, bool) {
	s = strings.ToLower(s)
	return s, uuid.MatchString(s)
}
