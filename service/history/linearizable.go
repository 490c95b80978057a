package history

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"
)

// Linearizable returns an error unless the calls could have run one after another: for each customer there must be an
// order, consistent with the times of the calls, in which every Written call sets its fields and is answered the resulting
// row. An Unknown call may take effect at any time after its begin, or never. A NotWritten call never takes effect.
// initial holds the six columns of Call.After of every customer before the run.
//
// Linearizable checks only the answers, not the store's log. It is independent of Reverts and FalseClaims, and finds the
// faults that a caller can notice. It does not find a write that no later answer shows.
//
// The limit is for the whole run; 0 is no limit. If it is exceeded, the error says that the result is inconclusive.
func Linearizable(calls []Call, initial map[int64]map[string]string, limit time.Duration) error {
	if err := checkHistory(calls, initial); err != nil {
		return err
	}
	perCustomer := map[int64][]Call{}
	for _, c := range calls {
		perCustomer[c.Customer] = append(perCustomer[c.Customer], c)
	}
	deadline := time.Now().Add(limit)
	var errs []error
	for _, id := range slices.Sorted(maps.Keys(perCustomer)) {
		left := time.Duration(0) // no limit to porcupine
		if limit > 0 {
			left = max(time.Until(deadline), 1)
		}
		if err := linearize(perCustomer[id], stateOf(initial[id]), left); err != nil {
			errs = append(errs, fmt.Errorf("customer %d: %w", id, err))
		}
	}
	return errors.Join(errs...)
}

// checkHistory returns an error for calls that the search would misread: a value in an answer must show that its one
// call took effect.
func checkHistory(calls []Call, initial map[int64]map[string]string) error {
	_, faults := authors(calls)
	for _, c := range calls {
		start, ok := initial[c.Customer]
		if !ok {
			faults = append(faults, fmt.Sprintf("cannot check: the row of customer %d before %v is missing", c.Customer, c))
		}
		for field, text := range c.Fields {
			if start[field] == text {
				faults = append(faults, fmt.Sprintf("cannot check: %v asks for the %s that customer %d began with", c, field, c.Customer))
			}
		}
		if c.End.Before(c.Begin) {
			faults = append(faults, fmt.Sprintf("cannot check: %v ends before it begins", c))
		}
	}
	errs := make([]error, len(faults))
	for i, fault := range faults {
		errs[i] = errors.New(fault)
	}
	return errors.Join(errs...)
}

// linearize searches for an order of one customer's calls.
func linearize(calls []Call, initial state, limit time.Duration) error {
	ops, err := operations(calls)
	if err != nil || len(ops) == 0 {
		return err
	}
	model := newModel(initial)
	switch porcupine.CheckOperationsTimeout(model, ops, limit) {
	case porcupine.Ok:
		return nil
	case porcupine.Illegal:
		return errors.New(explain(model, initial, ops, limit))
	default:
		return fmt.Errorf("inconclusive: no order of %d calls was found or ruled out in the time that was left", len(ops))
	}
}

// explain describes the longest order that was found. It repeats the search, because recording the orders would slow down
// every search that succeeds.
func explain(model porcupine.Model, initial state, ops []porcupine.Operation, limit time.Duration) string {
	_, info := porcupine.CheckOperationsVerbose(model, ops, limit)
	var best []int
	for _, order := range slices.Concat(info.PartialLinearizations()...) {
		if len(order) > len(best) {
			best = order
		}
	}
	reached := initial
	for _, i := range best {
		reached = reached.with(ops[i].Input.(Call).Fields)
	}
	// The next call would have to be the one that ended first of those that are left.
	next := -1
	for i, op := range ops {
		if !slices.Contains(best, i) && (next < 0 || op.Return < ops[next].Return) {
			next = i
		}
	}
	line := fmt.Sprintf("no order of %d calls explains their answers: the best explains %d and comes to %v",
		len(ops), len(best), reached)
	if next >= 0 {
		c := ops[next].Input.(Call)
		line += fmt.Sprintf("; then %v, which asked for %v, answers %v", c, c.Fields, stateOf(c.After))
	}
	return line
}
