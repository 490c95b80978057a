package main

import (
	"errors"
	"fmt"
	"strconv"
)

// maxListed bounds the contradictions that are listed.
const maxListed = 10

// verify compares the answers with what the store has applied: an update that was answered OK exactly once, one that was
// answered as not written never, any other at most once. It is called when no write is in flight any more.
func (s *store) verify(all []result, notes func(number int) string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []error
	for _, r := range all {
		times := s.applied[notes(r.number)]
		switch o := r.outcome; {
		case o.isOK() && times != 1, o.isNotWritten() && times != 0, times > 1:
			found = append(found, fmt.Errorf("call %d was answered %v, and the store applied it %d times", r.number, o, times))
		}
	}
	if more := len(found) - maxListed; more > 0 {
		found = append(found[:maxListed], fmt.Errorf("and %d more", more))
	}
	return errors.Join(found...)
}

// verifyRows checks that each update of a customer replaced the one before it, and that its row has the latest one. Then all
// notes were replaced as often as written, except the latest, and the first, which no update wrote.
func (s *store) verifyRows() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []error
	for customer, chain := range s.chains {
		id, err := strconv.ParseInt(customer, 10, 64)
		if err != nil {
			return err
		}
		if row, _ := s.Row(id); chain[row.Notes] != 1 || len(chain) != 2 {
			found = append(found, fmt.Errorf("an update of customer %d was lost", id))
		}
	}
	return errors.Join(found...)
}
