package fluentcart

import (
	"maps"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// FieldError is one validation rule of the store that one field breaks.
type FieldError struct {
	// Field is FluentCart's name of the field; "(other)" if it is not a known field of a customer.
	Field string
	// Rule is required, email, exist, maxLength or sanitizeText (F5); "(other)" if the store names another rule, or gives a
	// message only.
	Rule string
}

// fieldErrors returns the violations in the body of a 422, ordered by field and rule. Stores send {field:{rule:message}}; the
// documentation shows {"message":…,"errors":{field:[message]}} (F5).
func fieldErrors(body []byte) []FieldError {
	top, _ := findJSON(body, func(o object) bool { return len(o.fieldErrors()) > 0 })
	return top.fieldErrors()
}

// object is the JSON of a 422.
type object map[string]jsontext.Value

// maxFieldErrors bounds the list: a customer has fewer fields, and the gateway handles each entry on its own.
const maxFieldErrors = 32

func (o object) fieldErrors() []FieldError {
	top := o
	var documented object
	if json.Unmarshal(top["errors"], &documented, tolerant) == nil && len(documented) > 0 {
		top = documented
	}
	var list []FieldError
	add := func(field, rule string) {
		f := FieldError{shownField(field), rule}
		if repeated := rule == other && slices.Contains(list, f); !repeated && len(list) < maxFieldErrors { // without the messages a repetition says nothing new
			list = append(list, f)
		}
	}
	for _, field := range slices.Sorted(maps.Keys(top)) {
		if field == "data" { // WordPress puts the status there
			continue
		}
		var rules object
		var messages []jsontext.Value
		switch raw := top[field]; {
		case json.Unmarshal(raw, &rules, tolerant) == nil:
			for _, rule := range slices.Sorted(maps.Keys(rules)) {
				add(field, shownRule(rule))
			}
		case json.Unmarshal(raw, &messages, tolerant) == nil:
			for range messages {
				add(field, other)
			}
		}
	}
	return list
}
