package history

import (
	"fmt"
	"strings"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// Reverts reports the writes that did what no call asked of them, one line for each: those that changed a column which
// their call did not name, most often back to an older value; those that carry a part of a call's values, or carry them
// to another customer; those that applied a call once more; and those of no call. The writes must be all of the run, in
// the order of the store's log.
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
		return c.describe("carries "+list(calls, c.torn)+" to the wrong customer or not whole", changed)
	case c.again >= 0:
		return c.describe("applies "+calls[c.again].String()+" once more", changed)
	case len(c.owners) == 0:
		return c.describe("belongs to no call", changed)
	case len(changed) > 0:
		return c.describe("of "+list(calls, c.owners)+" changed what was not asked for", changed)
	}
	return ""
}

// unasked are the changes of columns that no owner of the write named. Every change of a write without an owner is
// unasked, the repetition of a call's own value included: it came back over a newer one.
func (c claim) unasked(calls []Call) []string {
	var changed []string
	for _, column := range columns {
		before, after := column.of(c.write.Before), column.of(c.write.After)
		if before == after {
			continue
		}
		asked := false
		for _, i := range c.owners {
			asked = asked || mayChange(calls[i].Fields, column.name)
		}
		if !asked {
			changed = append(changed, fmt.Sprintf("%s from %q to %q", column.name, before, after))
		}
	}
	return changed
}

func (c claim) describe(what string, changed []string) string {
	line := fmt.Sprintf("the write to customer %d applied at %s %s", c.write.Customer, stamp(c.write.Applied), what)
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
