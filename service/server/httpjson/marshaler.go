package httpjson

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"
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

// initialSize is enough for the response to most updates, in bytes.
const initialSize = 2 << 10

func appendMessage(out []byte, message protoreflect.Message) ([]byte, error) {
	if t, ok := message.Interface().(*timestamppb.Timestamp); ok && t.GetNanos() == 0 && t.CheckValid() == nil {
		return append(t.AsTime().AppendFormat(append(out, '"'), time.RFC3339), '"'), nil
	}
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
	if out == nil {
		out = make([]byte, 0, initialSize)
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

// appendMap writes the entries in the order of their keys.
func appendMap(out []byte, entries protoreflect.Map, valueField protoreflect.FieldDescriptor) ([]byte, error) {
	keys := make([]protoreflect.MapKey, 0, entries.Len())
	entries.Range(func(key protoreflect.MapKey, _ protoreflect.Value) bool {
		keys = append(keys, key)
		return true
	})
	slices.SortFunc(keys, func(a, b protoreflect.MapKey) int { return strings.Compare(a.String(), b.String()) })
	out = append(out, '{')
	for i, key := range keys {
		if i > 0 {
			out = append(out, ',')
		}
		var err error
		if out, err = jsontext.AppendQuote(out, key.String()); err != nil {
			return nil, err
		}
		if out, err = appendValue(append(out, ':'), entries.Get(key), valueField); err != nil {
			return nil, err
		}
	}
	return append(out, '}'), nil
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
		return jsontext.AppendQuote(out, value.String()) // <, > and & as they are: a response is never part of a page
	case protoreflect.Int32Kind, protoreflect.Int64Kind:
		return strconv.AppendInt(out, value.Int(), 10), nil
	}
	// encoding/json writes booleans, other numbers (64-bit ones too) and bytes (as base64) in the right form.
	content, err := json.Marshal(value.Interface())
	return append(out, content...), err
}
