package httpjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/customer"
)

// maxMembers bounds the members of a body; a customer has a fraction of it.
const maxMembers = 256

// readObject reads a JSON object and leaves out the members that are not written.
func readObject(content []byte, descriptor protoreflect.MessageDescriptor) (members, []apierror.Violation) {
	notObject := []apierror.Violation{{Field: "body", Description: `must be one JSON object, such as {"city":"Paris"}`}}
	if !utf8.Valid(content) {
		return nil, []apierror.Violation{{Field: "body", Description: "must be UTF-8"}}
	}
	decoder := json.NewDecoder(bytes.NewReader(content))
	if start, err := decoder.Token(); err != nil || start != json.Delim('{') {
		return nil, notObject
	}
	var kept members
	var violations []apierror.Violation
	seen := map[string]bool{}
	unknown := false
	for count := 0; decoder.More(); count++ {
		if count == maxMembers {
			return nil, []apierror.Violation{{Field: "body", Description: fmt.Sprintf("must have at most %d members", maxMembers)}}
		}
		key, err := decoder.Token()
		name, isText := key.(string)
		var value json.RawMessage
		if err != nil || !isText || decoder.Decode(&value) != nil {
			return nil, notObject
		}
		field := descriptor.Fields().ByJSONName(name)
		label := name
		if field == nil {
			label = apierror.QuoteName(name)
		}
		switch {
		case seen[name]:
			violations = append(violations, apierror.Violation{Field: label, Description: "is given more than once"})
		case field == nil && descriptor.ReservedNames().Has(protoreflect.Name(name)), field != nil && customer.OutputOnly(field):
			// Such a field is in responses, and is never written.
		case field == nil:
			description := "is not a field here"
			if !unknown {
				description += "; writable are " + customer.WritableFields()
			}
			violations = append(violations, apierror.Violation{Field: label, Description: description})
			unknown = true
		case string(value) != "null":
			kept = append(kept, member{field, value})
		case field.HasPresence() && field.Message() == nil:
			kept = append(kept, member{field, zero(field)})
		}
		seen[name] = true
	}
	if _, err := decoder.Token(); err != nil {
		return nil, notObject
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, notObject
	}
	return kept, violations
}

// zero returns the JSON of a field's cleared value.
func zero(field protoreflect.FieldDescriptor) json.RawMessage {
	switch field.Kind() {
	case protoreflect.StringKind, protoreflect.BytesKind:
		return json.RawMessage(`""`)
	case protoreflect.BoolKind:
		return json.RawMessage(`false`)
	}
	return json.RawMessage(`0`)
}

func kindName(field protoreflect.FieldDescriptor) string {
	switch field.Kind() {
	case protoreflect.StringKind:
		return "a text in double quotes, or null to clear it"
	case protoreflect.Int64Kind, protoreflect.Int32Kind, protoreflect.Uint64Kind, protoreflect.Uint32Kind:
		return "a whole number, or null to clear it"
	case protoreflect.BoolKind:
		return "true or false"
	}
	return "a valid " + field.Kind().String()
}
