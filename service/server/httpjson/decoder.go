package httpjson

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// errUnreadable ends the decoding of a body, which then holds the violations.
var errUnreadable = errors.New("the body cannot be read")

// NewDecoder returns a decoder that reads one message from a request's body. It is strict: an unknown field is rejected
// by its name. Output-only fields are skipped, whatever their value, so that a customer can be sent back as it was read.
// null clears a field, as in a JSON merge patch (RFC 7396).
func (*marshaler) NewDecoder(r io.Reader) runtime.Decoder {
	return runtime.DecoderFunc(func(v any) error {
		content, err := io.ReadAll(r)
		if err != nil || len(bytes.TrimSpace(content)) == 0 {
			return errors.Join(err, io.EOF) // no body: the generated code leaves the message unset
		}
		message, set, err := target(v)
		if err != nil {
			return err
		}
		read, _ := r.(*body)
		violations := readObject(content, message, read != nil && read.documented)
		if len(violations) == 0 {
			set()
			return nil
		}
		if read != nil {
			read.violations = violations
		}
		return errUnreadable
	})
}

// target returns the message that is read for v, which is a message, or a pointer to one that set sets.
func target(v any) (message protoreflect.Message, set func(), err error) {
	if message, ok := v.(proto.Message); ok {
		return message.ProtoReflect(), func() {}, nil
	}
	if pointer := reflect.ValueOf(v); pointer.Kind() == reflect.Pointer && !pointer.IsNil() {
		if empty, ok := pointer.Elem().Interface().(proto.Message); ok {
			message := empty.ProtoReflect().New()
			return message, func() { pointer.Elem().Set(reflect.ValueOf(message.Interface())) }, nil
		}
	}
	return nil, nil, fmt.Errorf("not a protobuf message: %T", v)
}
