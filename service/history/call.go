// Package history judges a run: many update calls against a sandbox store, together with what the store wrote. It knows
// nothing of the gateway; what must hold is said in terms of what callers were told and what the rows became.
//
// It tells calls apart by their values, so every value that a call asks for must be its own in the whole run, must
// differ from what the rows began with, and must be one that the store keeps as it is (F9, F10). A run that breaks this
// is reported, and not judged.
package history

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Outcome is what a caller knows at the end of a call.
type Outcome int

const (
	// Unknown is a call that may have written, now or later. It is the zero Outcome, because it claims nothing.
	Unknown Outcome = iota
	// Written is a call that was told OK.
	Written
	// NotWritten is a call that was told by a code that nothing was written, and nothing will be.
	NotWritten
)

// Call is one update call as its caller saw it.
type Call struct {
	ID       int // names the call in what is reported
	Customer int64
	// Fields are the values asked for, by the store's name of the field: city, state, country, postcode, status, notes,
	// email, full_name, first_name or last_name.
	Fields map[string]string
	// Begin and End enclose the call. They are readings of the clock of the store's log, with their monotonic part.
	Begin, End time.Time
	Outcome    Outcome
	// After is the customer's city, state, country, postcode, status and notes in the answer of a Written call; a column
	// that is not in it is empty.
	After map[string]string
	// Code is what the call was told, for messages only.
	Code string
}

func (c Call) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "call %d", c.ID)
	if c.Code != "" {
		fmt.Fprintf(&b, " (%s)", c.Code)
	}
	return b.String()
}

// value is what tells calls apart.
type value struct {
	field, text string
}

// authors says which call each value is of, by the call's place in the list. Its faults are calls that cannot be told
// apart.
func authors(calls []Call) (authors map[value]int, faults []string) {
	authors = map[value]int{}
	for i, c := range calls {
		if len(c.Fields) == 0 {
			faults = append(faults, fmt.Sprintf("cannot judge: %v asks for nothing", c))
		}
		for _, field := range slices.Sorted(maps.Keys(c.Fields)) {
			v := value{field, c.Fields[field]}
			if other, ok := authors[v]; ok {
				faults = append(faults, fmt.Sprintf("cannot judge: %v and %v both ask for %s %q", calls[other], c, field, v.text))
				continue
			}
			authors[v] = i
		}
	}
	return authors, faults
}
