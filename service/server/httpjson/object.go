package httpjson

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/customer"
)

// maxMembers bounds the members of a body; a customer has a fraction of it.
const maxMembers = 256

// The faults of a body as a whole.
var (
	errNotObject = errors.New(`must be one JSON object, such as {"city":"Paris"}`)
	errMembers   = fmt.Errorf("must have at most %d members", maxMembers)
)

// readObject reads a JSON object into a message, in one pass. It leaves out the members that are not written, and returns
// all violations. On the documented path, numbers may have the other forms that the store reads.
func readObject(content []byte, message protoreflect.Message, documented bool) []apierror.Violation {
	if !utf8.Valid(content) {
		return []apierror.Violation{{Field: "body", Description: "is not UTF-8 " + position(content, invalidUTF8(content))}}
	}
	o := object{content: content, message: message, documented: documented, seen: map[string]bool{}}
	// A half of a surrogate pair passes here, so that its violation names its field.
	in := jsontext.NewDecoder(bytes.NewBuffer(content), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if err := o.read(in); err != nil {
		return []apierror.Violation{{Field: "body", Description: err.Error()}}
	}
	return o.violations
}

// object is a JSON object on its way into a message.
type object struct {
	content    []byte
	message    protoreflect.Message
	documented bool
	violations []apierror.Violation
	seen       map[string]bool
	hasUnknown bool
}

// read reads the object to its end. Its error is about the body as a whole.
func (o *object) read(in *jsontext.Decoder) error {
	if start, err := in.ReadToken(); err != nil || start.Kind() != '{' {
		return syntaxError(o.content, 0, err)
	}
	for count := 0; in.PeekKind() != '}'; count++ {
		if count == maxMembers {
			return errMembers
		}
		key, err := in.ReadToken()
		if err != nil {
			return syntaxError(o.content, 0, err)
		}
		name := key.String()
		nameEnd := in.InputOffset()
		value, err := in.ReadValue()
		if err != nil {
			return syntaxError(o.content, nameEnd, err)
		}
		o.readMember(name, value)
	}
	if _, err := in.ReadToken(); err != nil {
		return syntaxError(o.content, 0, err)
	}
	end := in.InputOffset()
	if _, err := in.ReadToken(); !errors.Is(err, io.EOF) {
		more := len(o.content) - len(bytes.TrimLeft(o.content[end:], " \t\r\n"))
		return fmt.Errorf("%w, and nothing after it; there is more %s", errNotObject, position(o.content, int64(more)))
	}
	return nil
}

func (o *object) readMember(name string, value jsontext.Value) {
	descriptor := o.message.Descriptor()
	field := descriptor.Fields().ByJSONName(name)
	label := name
	if field == nil {
		label = apierror.QuoteName(name)
	}
	if o.documented && field != nil && field.Kind() == protoreflect.Int64Kind {
		value = castNumber(value)
	}
	repeated := o.seen[name]
	o.seen[name] = true
	switch {
	case repeated:
		o.violate(label, "is given more than once")
	case field == nil && descriptor.ReservedNames().Has(protoreflect.Name(name)), field != nil && customer.OutputOnly(field):
		// Such a field is in responses, and is never written.
	case field == nil:
		description := "is not a field here"
		if len(o.violations) < apierror.MaxViolations { // further ones are not listed
			description += hint(name)
		}
		if !o.hasUnknown {
			description += "; writable are " + customer.WritableFields()
		}
		o.violate(label, description)
		o.hasUnknown = true
	case value.Kind() == 'n':
		if field.HasPresence() && field.Message() == nil {
			o.message.Set(field, field.Default()) // the cleared value
		}
	case !readField(o.message, field, value):
		o.violate(field.JSONName(), "must be "+kindName(field))
	}
}

// hint says what was probably meant by an unknown name in a body.
func hint(name string) string {
	switch name {
	case "customer":
		return "; the body is the customer itself: leave the object around its fields out"
	case "customer_id":
		return "; the id is in the path"
	case "update_mask", "validate_only", "etag":
		return "; it is a query parameter"
	}
	return customer.Meant(name)
}

func (o *object) violate(field, description string) {
	o.violations = append(o.violations, apierror.Violation{Field: field, Description: description})
}

// readField sets a field, and reports whether the value fits it. Texts and digits are most of what is written; the other
// forms that canonical proto JSON allows are protojson's.
func readField(message protoreflect.Message, field protoreflect.FieldDescriptor, value jsontext.Value) bool {
	singular := field.Cardinality() != protoreflect.Repeated
	switch kind := field.Kind(); {
	case singular && kind == protoreflect.StringKind:
		if value.Kind() != '"' {
			return false
		}
		text, err := jsontext.AppendUnquote(nil, value)
		message.Set(field, protoreflect.ValueOfString(string(text)))
		return err == nil
	case singular && kind == protoreflect.Int64Kind && value.Kind() == '0':
		if n, err := strconv.ParseInt(string(value), 10, 64); err == nil {
			message.Set(field, protoreflect.ValueOfInt64(n))
			return true
		}
	}
	alone := fmt.Appendf(nil, `{%q:%s}`, field.JSONName(), value)
	read := message.New()
	if protojson.Unmarshal(alone, read.Interface()) != nil {
		return false
	}
	proto.Merge(message.Interface(), read.Interface())
	return true
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
