package history

import (
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"
)

// stateFields are the columns that an answer shows.
var stateFields = [...]string{"city", "state", "country", "postcode", "status", "notes"}

// state is one customer's row in the order of stateFields.
type state [len(stateFields)]string

func stateOf(values map[string]string) state {
	return state{}.with(values)
}

// with returns the state of the row after a write of these fields. Fields that the gateway's responses to calls never show
// are ignored, because no response could confirm them.
func (s state) with(fields map[string]string) state {
	for i, field := range stateFields {
		if text, ok := fields[field]; ok {
			s[i] = text
		}
	}
	return s
}

func (s state) String() string {
	columns := make([]string, len(s))
	for i, field := range stateFields {
		columns[i] = fmt.Sprintf("%s=%q", field, s[i])
	}
	return "{" + strings.Join(columns, " ") + "}"
}

// newModel returns the model of a row that calls write one after another.
func newModel(initial state) porcupine.Model {
	seed := maphash.MakeSeed()
	return porcupine.Model{
		Init: func() any { return initial },
		Step: func(before, input, _ any) (bool, any) {
			c := input.(Call)
			after := before.(state).with(c.Fields)
			return c.Outcome != Written || after == stateOf(c.After), after
		},
		Hash: func(s any) uint64 { return maphash.Comparable(seed, s.(state)) },
	}
}

// operations returns the calls of one customer that must have a position in the order, each with the interval in which it
// took effect.
//
// A Written call took effect between its begin and its end. An Unknown call has no end, and the search grows with 2 to the
// power of the number of calls that may be anywhere in the order. The interval of an Unknown call is therefore narrowed
// first. Values are unique. If no answer shows one of the call's values, the call may have taken effect after all others,
// and is left out. If an answer does, the answer that follows the call in the order also shows one, because an overwritten
// value does not come back. The call thus took effect right before the first answer that shows it: not before the earliest
// begin of the answers that show it, and not after their earliest end.
func operations(calls []Call) ([]porcupine.Operation, error) {
	var ops []porcupine.Operation
	if len(calls) == 0 {
		return nil, nil
	}
	epoch := slices.MinFunc(calls, func(a, b Call) int { return a.Begin.Compare(b.Begin) }).Begin
	add := func(c Call, from, to time.Time) {
		ops = append(ops, porcupine.Operation{Input: c, Call: int64(from.Sub(epoch)), Return: int64(to.Sub(epoch))})
	}
	for _, c := range calls {
		switch c.Outcome {
		case Written:
			if c.ReadLater {
				write, read := c, c
				write.Outcome, read.Fields = Unknown, nil // the write alone shows nothing, and the read sets nothing
				add(write, c.Begin, c.End)
				add(read, c.Begin, c.End)
				continue
			}
			add(c, c.Begin, c.End)
		case Unknown:
			from, to, ok := shown(calls, c)
			if !ok {
				continue
			}
			if to.Before(c.Begin) {
				return nil, fmt.Errorf("a value of %v was answered before the call began", c)
			}
			if from.Before(c.Begin) {
				from = c.Begin
			}
			add(c, from, to)
		case NotWritten:
		}
	}
	return ops, nil
}

// shown returns the earliest begin and the earliest end of the calls whose answers show a value of c, or false if no
// answer does.
func shown(calls []Call, c Call) (begin, end time.Time, ok bool) {
	for _, o := range calls {
		if o.Outcome != Written || !shows(o, c) {
			continue
		}
		if !ok || o.Begin.Before(begin) {
			begin = o.Begin
		}
		if !ok || o.End.Before(end) {
			end = o.End
		}
		ok = true
	}
	return begin, end, ok
}

func shows(o, c Call) bool {
	for _, field := range stateFields {
		if text, ok := c.Fields[field]; ok && o.After[field] == text {
			return true
		}
	}
	return false
}
