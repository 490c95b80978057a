package customer

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
)

// The longest names that the store keeps, in characters (F9). It refuses a longer full name, and truncates a longer first or
// last name silently, so the gateway refuses both.
const (
	maxFullName = 255
	maxNamePart = 192
)

// joinName returns the full name of a first and a last name.
func joinName(first, last string) string { return trim(first + " " + last) }

// splitName splits a full name as the store does: the last word is the last name, and a name of one word has no last
// name (F11).
func splitName(full string) (first, last string) {
	words := words(full)
	if len(words) < 2 {
		return strings.Join(words, " "), ""
	}
	return strings.Join(words[:len(words)-1], " "), words[len(words)-1]
}

func words(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(phpSpace, r) })
}

// mergeNames returns the first and last name that the request asks for, given the stored ones. Both kinds of store work
// from them: one takes the full name and splits it, the other takes the parts (F11). Where a full name and one part are
// given, the other part is the rest. An empty problem means that the names agree.
func (c *Change) mergeNames(storedFirst, storedLast string) (first, last, problem string) {
	first, last = storedFirst, storedLast
	hasFirst, hasLast := c.named[firstName], c.named[lastName]
	if hasFirst {
		first = trim(c.values[firstName].text)
	}
	if hasLast || c.full {
		last = trim(c.values[lastName].text)
	}
	if !c.named[fullName] {
		return first, last, ""
	}

	full := trim(c.values[fullName].text)
	agrees := true
	switch {
	case hasFirst && hasLast:
		agrees = joinName(first, last) == full
	case hasFirst:
		last, agrees = strings.CutPrefix(full, first)
		agrees = agrees && (first == "" || last == "" || last[0] == ' ')
		last = trim(last)
	case hasLast && last != "":
		first, agrees = strings.CutSuffix(full, " "+last)
	case hasLast:
		first = full
	case full == joinName(storedFirst, storedLast): // no change, however the store splits the name
		first, last = storedFirst, storedLast
	default:
		first, last = splitName(full)
	}
	if !agrees {
		return first, last, "contradicts the other names: full_name must be first_name, a space and last_name; give only one of the two forms"
	}
	return first, last, ""
}

// checkNames reports names that contradict each other, or are too long once joined or split, as far as the request
// alone shows it.
func (c *Change) checkNames() []apierror.Violation {
	if !c.namesAnyName() {
		return nil
	}
	for _, id := range []fieldID{fullName, firstName} {
		if c.named[id] && trim(c.values[id].text) == "" {
			return []apierror.Violation{{Field: fields[id].name, Description: "cannot be blank: the store requires it"}}
		}
	}
	first, last, problem := c.mergeNames("", "")
	if problem != "" {
		return []apierror.Violation{{Field: "full_name", Description: problem}}
	}
	return c.checkNameLengths(first, last)
}

// checkNameLengths checks the first and last name that will be stored. It reports the names that the request gives.
func (c *Change) checkNameLengths(first, last string) []apierror.Violation {
	var violations []apierror.Violation
	add := func(field, format string, length, limit int) {
		violations = append(violations, apierror.Violation{Field: field, Description: fmt.Sprintf(format, length, limit)})
	}
	if n := utf8.RuneCountInString(first); n > maxNamePart && !c.named[firstName] {
		add("full_name", "makes a first name of %d characters (all but the last word); at most %d are kept", n, maxNamePart)
	}
	if n := utf8.RuneCountInString(last); n > maxNamePart && !c.named[lastName] {
		add("full_name", "makes a last name of %d characters (its last word); at most %d are kept", n, maxNamePart)
	}
	if n := utf8.RuneCountInString(joinName(first, last)); n > maxFullName && !c.named[fullName] {
		field := "first_name"
		if !c.named[firstName] {
			field = "last_name"
		}
		add(field, "makes a full name of %d characters together with the other name; at most %d are accepted", n, maxFullName)
	}
	return violations
}
