package service

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// The store's limits of names in characters. The columns cut longer ones without a word (F9).
const (
	maxFullName = 255
	maxNamePart = 192
)

// joinName makes the full name of its parts.
func joinName(first, last string) string { return trim(first + " " + last) }

// splitName takes a full name apart as the store does: the last word is the last name, and a name of one word
// has none (F11).
func splitName(full string) (first, last string) {
	words := strings.FieldsFunc(full, func(r rune) bool { return strings.ContainsRune(phpSpace, r) })
	if len(words) < 2 {
		return strings.Join(words, " "), ""
	}
	return strings.Join(words[:len(words)-1], " "), words[len(words)-1]
}

// mergeNames returns the parts of the name that the request asks for, given the stored ones. Both kinds of store
// work from them: the one takes the full name and splits it, the other takes the parts (F11).
//
// Where a full name and a part are given, the other part is what remains. An empty problem means that the names
// agree.
func (c *change) mergeNames(storedFirst, storedLast string) (first, last, problem string) {
	first, last = storedFirst, storedLast
	givenFirst, hasFirst := c.values["first_name"]
	givenLast, hasLast := c.values["last_name"]
	if hasFirst {
		first = trim(givenFirst)
	}
	if hasLast || c.full {
		last = trim(givenLast)
	}
	full, hasFull := c.values["full_name"]
	if !hasFull {
		return first, last, ""
	}

	full = trim(full)
	agrees := true
	switch {
	case hasFirst && hasLast:
		agrees = joinName(first, last) == full
	case hasFirst:
		last, agrees = strings.CutPrefix(full, first)
		agrees = agrees && (last == "" || last[0] == ' ')
		last = trim(last)
	case hasLast && last != "":
		first, agrees = strings.CutSuffix(full, " "+last)
	case hasLast:
		first = full
	case full == joinName(storedFirst, storedLast): // no change, however the store parts it
		first, last = storedFirst, storedLast
	default:
		first, last = splitName(full)
	}
	if !agrees {
		return first, last, "contradicts the other names: full_name must be first_name, a space and last_name; give only one of the two forms"
	}
	return first, last, ""
}

// checkNames finds names that contradict each other or get too long once put together or taken apart, as far as
// the request alone can tell.
func (c *change) checkNames() []violation {
	if !c.namesName() {
		return nil
	}
	for _, name := range []string{"full_name", "first_name"} {
		if value, named := c.values[name]; named && trim(value) == "" {
			return []violation{{name, "cannot be blank: the store requires it"}}
		}
	}
	first, last, problem := c.mergeNames("", "")
	if problem != "" {
		return []violation{{"full_name", problem}}
	}
	return c.checkNameLengths(first, last)
}

// checkNameLengths checks the parts that will be stored. It speaks of the names that the request gives.
func (c *change) checkNameLengths(first, last string) []violation {
	var violations []violation
	if n := utf8.RuneCountInString(first); n > maxNamePart && !c.named("first_name") {
		violations = append(violations, violation{"full_name", fmt.Sprintf("makes a first name of %d characters (all but the last word); at most %d are kept", n, maxNamePart)})
	}
	if n := utf8.RuneCountInString(last); n > maxNamePart && !c.named("last_name") {
		violations = append(violations, violation{"full_name", fmt.Sprintf("makes a last name of %d characters (its last word); at most %d are kept", n, maxNamePart)})
	}
	if n := utf8.RuneCountInString(joinName(first, last)); n > maxFullName && !c.named("full_name") {
		field := "first_name"
		if !c.named(field) {
			field = "last_name"
		}
		violations = append(violations, violation{field, fmt.Sprintf("makes a full name of %d characters together with the other name; at most %d are taken", n, maxFullName)})
	}
	return violations
}
