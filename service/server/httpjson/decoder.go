package httpjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
)

// errUnreadable ends the decoding of a body, which then holds the violations.
var errUnreadable = errors.New("the body cannot be read")

// NewDecoder returns a decoder that reads one message from a request's body. It is strict: an unknown field is rejected
// by its name. Output-only fields are skipped, whatever their value, so that a customer can be sent back as it was read.
// null clears a field, as in a JSON merge patch (RFC 7396).
func (m *marshaler) NewDecoder(r io.Reader) runtime.Decoder {
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

// prototype returns an empty message of the type of v, which is a message or a pointer to one.
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

// members are the members of a JSON object that are decoded, in their order.
type members []member

type member struct {
	field protoreflect.FieldDescriptor
	value json.RawMessage
}

// object returns the members as one JSON object.
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

// misfits returns a violation for each member that cannot be decoded, by decoding one at a time.
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
