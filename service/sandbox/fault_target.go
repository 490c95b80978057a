package sandbox

import (
	"context"
	"net/http"
)

// Customer returns the customer that a request reads or updates, or whose update it cancels. It is for [Config].Fail, which
// gets no other requests. A cancellation names no customer: the id is that of the update, or 0 if the store has not received
// the update.
func Customer(r *http.Request) (id int64, reads bool) {
	t := targetOf(r)
	if t.action == cancelUpdate {
		id, _ := r.Context().Value(cancelledCustomer{}).(int64)
		return id, false
	}
	return t.customer, t.action == readCustomer
}

// Cancels reports whether a request cancels an update: the companion's DELETE. Any other request for which Customer says that
// it does not read is an update, by FluentCart's PUT or by the companion's POST.
func Cancels(r *http.Request) bool { return targetOf(r).action == cancelUpdate }

// cancelledCustomer is the key of a cancellation's customer in its context.
type cancelledCustomer struct{}

// withCustomer returns a cancellation with the customer of its update, for Customer.
func (s *Store) withCustomer(r *http.Request, requestID string) *http.Request {
	s.mu.RLock()
	defer s.mu.RUnlock()
	id := int64(0)
	if a := s.attempts.find(requestID); a != nil {
		id = a.customer
	}
	return r.WithContext(context.WithValue(r.Context(), cancelledCustomer{}, id))
}
