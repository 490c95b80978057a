package httpjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"unicode/utf8"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/customer"
)

// errUnreadable ends the reading of a body. The body itself holds the violations.
var errUnreadable = errors.New("the body cannot be read")

// NewDecoder returns a decoder that reads one message from a request's body. It is strict: a field that does not
// exist is refused by its name. Output-only fields are skipped, whatever they hold, so that a customer can be sent
// back as it was read; and null clears, as in a JSON merge patch (RFC 7396).
func (m *jsonMarshaler) NewDecoder(r io.Reader) runtime.Decoder {
	return runtime.DecoderFunc(func(v any) error {
		content, err := io.ReadAll(r)
		if err != nil || len(bytes.TrimSpace(content)) == 0 {
			return errors.Join(err, io.EOF) // no body: the generated code leaves the message unset
		}
		empty, err := prototype(v)
		if err != nil {
			return err
		}
		kept, violations := readObject(content, empty.Descriptor())
		if len(violations) == 0 {
			if err := m.Unmarshal(kept.object(), v); err == nil {
				return nil
			}
			violations = kept.misfits(empty)
		}
		if read, ok := r.(*body); ok {
			read.violations = violations
		}
		return errUnreadable
	})
}

// prototype returns a message of the type that v, a message or a pointer to one, is to hold.
func prototype(v any) (protoreflect.Message, error) {
	if message, ok := v.(proto.Message); ok {
		return message.ProtoReflect(), nil
	}
	if pointer := reflect.ValueOf(v); pointer.Kind() == reflect.Pointer && !pointer.IsNil() {
		if message, ok := pointer.Elem().Interface().(proto.Message); ok {
			return message.ProtoReflect(), nil
		}
	}
	return nil, fmt.Errorf("not a protobuf message: %T", v)
}

// members are the members of a JSON object that are to be read, in their order.
type members []member

type member struct {
	field protoreflect.FieldDescriptor
	value json.RawMessage
}

// object writes the members as one JSON object.
func (list members) object() []byte {
	out := []byte{'{'}
	for i, m := range list {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, '"')
		out = append(append(out, m.field.JSONName()...), `":`...)
		out = append(out, m.value...)
	}
	return append(out, '}')
}

// misfits finds the members that cannot be read, by reading them one by one.
func (list members) misfits(empty protoreflect.Message) []apierror.Violation {
	var violations []apierror.Violation
	for _, m := range list {
		if protojson.Unmarshal(members{m}.object(), empty.New().Interface()) != nil {
			violations = append(violations, apierror.Violation{Field: m.field.JSONName(), Description: "must be " + kindName(m.field)})
		}
	}
	if len(violations) == 0 {
		violations = []apierror.Violation{{Field: "body", Description: "cannot be read"}}
	}
	return violations
}

// maxMembers is several times what a customer has.
const maxMembers = 256

// readObject reads a JSON object and leaves out what is not to be written.
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
	unknown := "is not a field here; writable are " + customer.WritableFields()
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
			// It is answered, and never written.
		case field == nil:
			violations = append(violations, apierror.Violation{Field: label, Description: unknown})
			unknown = "is not a field here"
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

// zero is the JSON of a field's cleared value.
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
