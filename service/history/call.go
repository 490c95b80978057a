// Package history is the history checker: after a run it checks the log of the update calls against the log of the
// sandbox store's writes. It is independent of the gateway, and checks only the answers of the calls and the rows of the
// store.
//
// It identifies calls by their values. Each value that a call asks for must therefore be unique in the whole run, must
// differ from the row before the run, and must be one that the store keeps unchanged (F9, F10). If one is not, the
// check reports that, and nothing else.
package history

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// Outcome is the caller's knowledge at the end of a call.
type Outcome int

const (
	// Unknown is a call that may have written, or may still write. It is the zero Outcome, because it claims nothing.
	Unknown Outcome = iota
	// Written is a call that was answered OK.
	Written
	// NotWritten is the outcome of a call whose status code promises that it wrote nothing, and that no write of it can
	// still arrive.
	NotWritten
)

// Call is one update call as its caller saw it.
type Call struct {
	// ID identifies the call in reports.
	ID int
	// Customer is the id of the customer that the call updates.
	Customer int64
	// Fields are the values that the call asks for, by the store's name of the field: city, state, country, postcode, status, notes,
	// email, full_name, first_name or last_name.
	Fields map[string]string
	// Begin and End enclose the call. They are read from the same clock as the store's log, with their monotonic part.
	Begin, End time.Time
	// Outcome says whether the call has written, as far as its caller knows.
	Outcome Outcome
	// After holds the customer's city, state, country, postcode, status and notes in the answer to a Written call. An
	// absent column is empty.
	After map[string]string
	// ReadLater says that After was read at some time between the write and End. It may show later calls too.
	ReadLater bool
	// Code is the code of the answer. It is for reports only.
	Code string
}

func (c Call) String() string {
	if c.Code == "" {
		return fmt.Sprintf("call %d", c.ID)
	}
	return fmt.Sprintf("call %d (%s)", c.ID, c.Code)
}

// value identifies a call.
type value struct {
	field, text string
}

// authors returns the call that asks for each value, by its index in the list. The faults are calls that cannot be
// distinguished.
func authors(calls []Call) (authors map[value]int, faults []string) {
	authors = map[value]int{}
	for i, c := range calls {
		if len(c.Fields) == 0 {
			faults = append(faults, fmt.Sprintf("cannot check: %v asks for nothing", c))
		}
		for _, field := range slices.Sorted(maps.Keys(c.Fields)) {
			v := value{field, c.Fields[field]}
			if other, ok := authors[v]; ok {
				faults = append(faults, fmt.Sprintf("cannot check: %v and %v both ask for %s %q", calls[other], c, field, v.text))
				continue
			}
			authors[v] = i
		}
	}
	return authors, faults
}
