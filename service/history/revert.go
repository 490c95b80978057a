package history

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// Reverts reports the writes that no call has asked for, one line for each: writes that changed a column that their call
// did not name, most often back to an older value; writes that carry only a part of a call's values, or carry them to
// another customer; writes that applied a call a second time; and writes that belong to no call. The writes must be all
// writes of the run, in the order of the store's log.
func Reverts(calls []Call, writes []sandbox.Write) []string {
	claims, faults := claims(calls, writes)
	for _, c := range claims {
		if fault := c.fault(calls); fault != "" {
			faults = append(faults, fault)
		}
	}
	return faults
}

func (c claim) fault(calls []Call) string {
	changed := c.unasked(calls)
	switch {
	case len(c.torn) > 0:
		return c.describe("carries "+list(calls, c.torn)+" to the wrong customer or incompletely", changed)
	case c.again >= 0:
		return c.describe("applies "+calls[c.again].String()+" a second time", changed)
	case len(c.owners) == 0:
		return c.describe("belongs to no call", changed)
	case len(changed) > 0:
		return c.describe("of "+list(calls, c.owners)+" changed columns that it did not name", changed)
	}
	return ""
}

// unasked returns the changes of columns that no owner of the write has named. For a write without an owner it returns all
// changes, even one to a value of the repeated call: that value has overwritten a newer one.
func (c claim) unasked(calls []Call) []string {
	var changed []string
	before, after := columns(c.write.Before), columns(c.write.After)
	for _, column := range slices.Sorted(maps.Keys(after)) {
		if before[column] == after[column] {
			continue
		}
		asked := false
		for _, i := range c.owners {
			asked = asked || mayChange(calls[i].Fields, column)
		}
		if !asked {
			changed = append(changed, fmt.Sprintf("%s from %q to %q", column, before[column], after[column]))
		}
	}
	return changed
}

func (c claim) describe(fault string, changed []string) string {
	line := fmt.Sprintf("the write to customer %d applied at %s %s", c.write.Customer, stamp(c.write.Applied), fault)
	if len(changed) > 0 {
		line += ": " + strings.Join(changed, ", ")
	}
	return line
}

func list(calls []Call, of []int) string {
	names := make([]string, len(of))
	for n, i := range of {
		names[n] = calls[i].String()
	}
	return strings.Join(names, " and ")
}

func stamp(t time.Time) string {
	return t.Format("15:04:05.000000")
}
