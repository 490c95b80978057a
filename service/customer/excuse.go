package customer

import (
	"strings"
	"unicode/utf8"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// Rows of a shop may break the rules of the contract: imports and plug-ins write empty names, invalid e-mail addresses and
// cities that are too long. A caller that sends such a customer back as it was read asks for nothing wrong, so a value that
// is stored already is never refused.
//
// Only a read shows what is stored. So a request whose violations may all be excused in this way is refused after the read,
// and any other wrong request before it. An attacker gains nothing: the request costs as much as a valid one that changes
// nothing.

// longestStored is the length of the longest text that a column with a limit may hold, in characters. Measured columns
// are shorter (F9), but a shop's own may not be. A longer value is refused before the read.
const longestStored = 255

// mayBeStored reports whether a violation is about a value that a store may hold.
func (c *Change) mayBeStored(v apierror.Violation) bool {
	id, ok := fieldNamed(v.Field)
	return ok && id != userID && c.named[id] && utf8.RuneCountInString(c.values[id].text) <= longestStored
}

// excuse returns the violations that a request is refused for before the read: all, or none if stored values may excuse
// them all. Then it keeps them for Merge.
func (c *Change) excuse(violations []apierror.Violation) []apierror.Violation {
	if len(violations) == 0 {
		return nil
	}
	for _, v := range violations {
		if !c.mayBeStored(v) {
			return violations
		}
	}
	if c.namesAnyName() && !c.agreesBySpaces() {
		return violations
	}
	c.unlessStored = violations
	return nil
}

// UnlessStored returns the violations that only a stored value can excuse. Before Replace, where no stored value is known,
// the request must be refused for them.
func (c *Change) UnlessStored() []apierror.Violation { return c.unlessStored }

// unexcused returns the violations whose value is not the one that is stored.
func (c *Change) unexcused(stored *fluentcart.Customer) []apierror.Violation {
	var violations []apierror.Violation
	for _, v := range c.unlessStored {
		if id, _ := fieldNamed(v.Field); c.values[id] != fields[id].get(stored) {
			violations = append(violations, v)
		}
	}
	return violations
}

// keepsNames reports whether every name that the request names is the stored one. Such names need not fit the rules, nor
// each other: a stored "Ann " and "Lee" make a full name with two spaces.
func (c *Change) keepsNames(stored *fluentcart.Customer) bool {
	for _, id := range []fieldID{fullName, firstName, lastName} {
		if c.named[id] && c.values[id] != fields[id].get(stored) {
			return false
		}
	}
	return !c.full || c.named[fullName] || c.named[lastName] || stored.LastName == ""
}

// agreesBySpaces reports whether the names contradict each other by spaces at most, as the names of a stored customer may.
func (c *Change) agreesBySpaces() bool {
	squeezed := *c
	for _, id := range []fieldID{fullName, firstName, lastName} {
		squeezed.values[id].text = strings.Join(words(c.values[id].text), " ")
	}
	_, _, problem := squeezed.mergeNames("", "")
	return problem == ""
}
