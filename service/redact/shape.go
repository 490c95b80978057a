package redact

import (
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"
)

// The bounds of a shape, which goes into one line of a log.
const (
	maxShape = 1024 // bytes, and a few more for its end
	maxDepth = 8    // messages within messages
	maxItems = 8    // of a list
	maxText  = 40   // characters of one text
)

// Shape returns a log value that shows which fields a message has, and the values of those that are not personal. The
// text is made when the line is written, so a logger that drops the line pays nothing.
func Shape(message proto.Message) slog.LogValuer { return shape{message} }

type shape struct{ message proto.Message }

// LogValue returns one short line such as
//
//	customer_id:1 customer:{email:[15 B] city:[4 B]} update_mask:[city]
func (s shape) LogValue() slog.Value { return slog.StringValue(s.String()) }

// String returns the same text, in case the value is printed instead of logged.
func (s shape) String() string {
	if s.message == nil {
		return ""
	}
	w := &writer{}
	w.content(s.message.ProtoReflect(), 0)
	return string(w.out)
}

// writer writes a shape. Once it has maxShape bytes it writes nothing more.
type writer struct {
	out  []byte
	full bool
}

func (w *writer) add(text string) {
	switch {
	case w.full:
	case len(w.out)+len(text) > maxShape:
		w.full = true
		w.out = append(w.out, "…"...)
	default:
		w.out = append(w.out, text...)
	}
}

// count writes a size in place of a value.
func (w *writer) count(n int, unit string) { w.add("[" + strconv.Itoa(n) + " " + unit + "]") }

func (w *writer) fields(message protoreflect.Message, depth int) {
	var set []protoreflect.FieldDescriptor
	message.Range(func(field protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
		set = append(set, field)
		return true
	})
	slices.SortFunc(set, func(a, b protoreflect.FieldDescriptor) int { return int(a.Number() - b.Number()) })
	for i, field := range set {
		if w.full {
			return
		}
		if i > 0 {
			w.add(" ")
		}
		w.add(field.TextName() + ":")
		w.field(message, field, depth)
	}
	if unknown := message.GetUnknown(); len(unknown) > 0 {
		if len(set) > 0 {
			w.add(" ")
		}
		w.add("unknown:[" + strconv.Itoa(countFields(unknown)) + " fields, " + strconv.Itoa(len(unknown)) + " B]")
	}
}

func (w *writer) field(message protoreflect.Message, field protoreflect.FieldDescriptor, depth int) {
	value := message.Get(field)
	switch {
	case personal(field) || field.IsMap():
		w.hidden(field, value)
	case field.IsList():
		w.items(field, value.List(), depth)
	case field.Message() != nil && field.Message().FullName() == "google.protobuf.FieldMask":
		w.mask(message.Descriptor(), value.Message())
	default:
		w.value(field, value, depth)
	}
}

// hidden writes the size of a personal value or of a map. The size of a number would reveal a part of it, so a number is
// only marked as set.
func (w *writer) hidden(field protoreflect.FieldDescriptor, value protoreflect.Value) {
	switch {
	case field.IsMap():
		w.count(value.Map().Len(), "entries")
	case field.IsList():
		w.count(value.List().Len(), "items")
	case field.Message() != nil:
		w.count(proto.Size(value.Message().Interface()), "B")
	case field.Kind() == protoreflect.StringKind:
		w.count(len(value.String()), "B")
	case field.Kind() == protoreflect.BytesKind:
		w.count(len(value.Bytes()), "B")
	default:
		w.add("[set]")
	}
}

func (w *writer) items(field protoreflect.FieldDescriptor, list protoreflect.List, depth int) {
	w.add("[")
	w.some(list.Len(), func(i int) { w.value(field, list.Get(i), depth) })
	w.add("]")
}

// some writes the first of n items, and how many are left out.
func (w *writer) some(n int, item func(int)) {
	for i := range min(n, maxItems) {
		if i > 0 {
			w.add(" ")
		}
		item(i)
	}
	if n > maxItems {
		w.add(" " + strconv.Itoa(n-maxItems) + " more")
	}
}

// value writes one value of a field that is not personal.
func (w *writer) value(field protoreflect.FieldDescriptor, value protoreflect.Value, depth int) {
	switch field.Kind() {
	case protoreflect.MessageKind, protoreflect.GroupKind:
		w.message(value.Message(), depth+1)
	case protoreflect.StringKind:
		w.add(quoted(value.String()))
	case protoreflect.BytesKind:
		w.count(len(value.Bytes()), "B")
	case protoreflect.EnumKind:
		if known := field.Enum().Values().ByNumber(value.Enum()); known != nil {
			w.add(string(known.Name()))
			return
		}
		w.add(strconv.Itoa(int(value.Enum())))
	default: // numbers and booleans
		w.add(value.String())
	}
}

func (w *writer) message(message protoreflect.Message, depth int) {
	w.add("{")
	w.content(message, depth)
	w.add("}")
}

// content writes the fields of a message. Of a packed message only the size is written: the sender chose its type.
func (w *writer) content(message protoreflect.Message, depth int) {
	switch _, isPacked := message.Interface().(*anypb.Any); {
	case depth > maxDepth:
		w.add("…")
	case isPacked:
		w.count(proto.Size(message.Interface()), "B")
	default:
		w.fields(message, depth)
	}
}

// mask writes the paths that are names of fields. Any other path is text that the sender chose.
func (w *writer) mask(parent protoreflect.MessageDescriptor, mask protoreflect.Message) {
	list := mask.Get(mask.Descriptor().Fields().ByName("paths")).List()
	w.add("[")
	w.some(list.Len(), func(i int) { w.path(parent, list.Get(i).String()) })
	w.add("]")
}

// path writes the name of a field of one of the messages in parent, which the path may spell as full_name or fullName.
func (w *writer) path(parent protoreflect.MessageDescriptor, path string) {
	if path == "*" {
		w.add(path)
		return
	}
	for i := range parent.Fields().Len() {
		inner := parent.Fields().Get(i).Message()
		if inner == nil {
			continue
		}
		for j := range inner.Fields().Len() {
			name := string(inner.Fields().Get(j).Name())
			if strings.EqualFold(strings.ReplaceAll(path, "_", ""), strings.ReplaceAll(name, "_", "")) {
				w.add(name)
				return
			}
		}
	}
	w.count(len(path), "B")
}

// quoted returns the beginning of a text in printable ASCII.
func quoted(text string) string {
	if utf8.RuneCountInString(text) <= maxText {
		return strconv.QuoteToASCII(text)
	}
	return strconv.QuoteToASCII(string([]rune(text)[:maxText])) + "…"
}

// countFields counts the fields of an encoded message.
func countFields(encoded []byte) int {
	n := 0
	for len(encoded) > 0 {
		_, _, size := protowire.ConsumeField(encoded)
		if size < 0 {
			break
		}
		encoded = encoded[size:]
		n++
	}
	return n
}
