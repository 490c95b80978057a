package httpjson

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// marshaler writes the gateway's JSON: the contract's JSON names, every field present, and 64-bit integers as JSON
// numbers, as FluentCart documents its ids. Canonical proto JSON would write them as strings.
type marshaler struct{ runtime.JSONPb }

// Marshal returns a message as JSON.
func (*marshaler) Marshal(v any) ([]byte, error) {
	message, ok := v.(proto.Message)
	if !ok {
		return nil, fmt.Errorf("not a protobuf message: %T", v)
	}
	return appendMessage(nil, message.ProtoReflect())
}

// NewEncoder returns an encoder that writes to w.
func (m *marshaler) NewEncoder(w io.Writer) runtime.Encoder {
	return runtime.EncoderFunc(func(v any) error {
		content, err := m.Marshal(v)
		if err != nil {
			return err
		}
		_, err = w.Write(content)
		return err
	})
}

func appendMessage(out []byte, message protoreflect.Message) ([]byte, error) {
	if strings.HasPrefix(string(message.Descriptor().FullName()), "google.") {
		// Timestamps and the like have a JSON form of their own. protojson varies the spaces in its output.
		content, err := protojson.Marshal(message.Interface())
		if err != nil {
			return nil, err
		}
		compact := bytes.NewBuffer(out)
		err = json.Compact(compact, content)
		return compact.Bytes(), err
	}
	var err error
	out = append(out, '{')
	fields := message.Descriptor().Fields()
	for i := range fields.Len() {
		if i > 0 {
			out = append(out, ',')
		}
		field := fields.Get(i)
		out = append(strconv.AppendQuote(out, field.JSONName()), ':')
		if out, err = appendField(out, message, field); err != nil {
			return nil, err
		}
	}
	return append(out, '}'), nil
}

func appendField(out []byte, message protoreflect.Message, field protoreflect.FieldDescriptor) ([]byte, error) {
	value := message.Get(field)
	switch {
	case field.IsList():
		return appendList(out, value.List(), field)
	case field.IsMap():
		return appendMap(out, value.Map(), field.MapValue())
	case field.HasPresence() && !message.Has(field):
		return append(out, "null"...), nil
	}
	return appendValue(out, value, field)
}

func appendList(out []byte, list protoreflect.List, field protoreflect.FieldDescriptor) ([]byte, error) {
	var err error
	out = append(out, '[')
	for i := range list.Len() {
		if i > 0 {
			out = append(out, ',')
		}
		if out, err = appendValue(out, list.Get(i), field); err != nil {
			return nil, err
		}
	}
	return append(out, ']'), nil
}

// appendMap leaves the order of the keys to encoding/json, which sorts them.
func appendMap(out []byte, entries protoreflect.Map, valueField protoreflect.FieldDescriptor) ([]byte, error) {
	written := make(map[string]json.RawMessage, entries.Len())
	var failed error
	entries.Range(func(key protoreflect.MapKey, value protoreflect.Value) bool {
		content, err := appendValue(nil, value, valueField)
		written[key.String()], failed = content, err
		return err == nil
	})
	if failed != nil {
		return nil, failed
	}
	content, err := json.Marshal(written)
	return append(out, content...), err
}

func appendValue(out []byte, value protoreflect.Value, field protoreflect.FieldDescriptor) ([]byte, error) {
	switch field.Kind() {
	case protoreflect.MessageKind, protoreflect.GroupKind:
		return appendMessage(out, value.Message())
	case protoreflect.EnumKind:
		if known := field.Enum().Values().ByNumber(value.Enum()); known != nil {
			return strconv.AppendQuote(out, string(known.Name())), nil
		}
		return strconv.AppendInt(out, int64(value.Enum()), 10), nil
	case protoreflect.StringKind:
		return appendText(out, value.String())
	}
	// encoding/json writes booleans, numbers (64-bit ones too) and bytes (as base64) in the right form.
	content, err := json.Marshal(value.Interface())
	return append(out, content...), err
}

// appendText does not escape <, > and &: a response is never part of a page, and people read it.
func appendText(out []byte, text string) ([]byte, error) {
	var quoted bytes.Buffer
	encoder := json.NewEncoder(&quoted)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(text)
	return append(out, bytes.TrimSuffix(quoted.Bytes(), []byte("\n"))...), err
}
