package fluentcart

import (
	"encoding/json"
	"maps"
	"slices"
)

// FieldError is one validation rule of the store that one field breaks.
type FieldError struct {
	// Field is FluentCart's name of the field.
	Field string
	// Rule is the store's name of the rule, such as required, email, exist, maxLength, sanitizeText (F5); empty
	// where the store gives only a message.
	Rule string
	// Message is the store's own text in the store's language; empty where it is not a short plain text.
	Message string
}

// fieldErrors reads a 422, ordered by field and rule. Stores send {field:{rule:message}}; the documentation shows
// {"message":…,"errors":{field:[message]}} (F5).
func fieldErrors(body []byte) []FieldError {
	top, _ := findJSON(body, func(o object) bool { return len(o.fieldErrors()) > 0 })
	return top.fieldErrors()
}

// maxFieldErrors bounds the list: a customer has fewer fields, and the gateway handles each entry on its own.
const maxFieldErrors = 32

func (o object) fieldErrors() []FieldError {
	top := o
	var documented object
	if json.Unmarshal(top["errors"], &documented) == nil && len(documented) > 0 {
		top = documented
	}
	var list []FieldError
	for _, field := range slices.Sorted(maps.Keys(top)) {
		if len(list) >= maxFieldErrors {
			break
		}
		if field == "data" { // WordPress puts the status there
			continue
		}
		var rules map[string]text
		var messages []text
		switch raw := top[field]; {
		case json.Unmarshal(raw, &rules) == nil:
			for _, rule := range slices.Sorted(maps.Keys(rules)) {
				list = append(list, FieldError{Field: word(field), Rule: word(rule), Message: plainMessage(string(rules[rule]))})
			}
		case json.Unmarshal(raw, &messages) == nil:
			for _, message := range messages {
				list = append(list, FieldError{Field: word(field), Message: plainMessage(string(message))})
			}
		}
	}
	return list[:min(len(list), maxFieldErrors)]
}
