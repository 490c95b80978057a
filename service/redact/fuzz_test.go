package redact_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/redact"
)

var epoch = time.Date(2025, 6, 10, 9, 15, 0, 0, time.UTC)

// statusWith is a message with something packed in it.
func statusWith(packed *anypb.Any) proto.Message {
	return &status.Status{Details: []*anypb.Any{packed}}
}

// FuzzShape makes shapes of requests that hold any texts, and of any bytes taken for a request. A shape is one line of
// printable text within its bound, and has no personal value.
func FuzzShape(f *testing.F) {
	f.Add("ann@example.com", "Ann Smith", "city", []byte("\x08\x01"))
	f.Add("a\r\nb", "\x1b[31m", "*", []byte("\x12\x04\x0a\x02An"))
	f.Add("\u2028", "\xff\xfe", "full_name", []byte("\x9a\x06\x03Ann"))
	f.Fuzz(func(t *testing.T, email, name, path string, encoded []byte) {
		request := &customerv1.UpdateCustomerRequest{
			CustomerId: 1, Etag: name, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{path, email}},
			Customer: &customerv1.Customer{Email: &email, FullName: &name, Notes: &path, Aov: name, PurchaseValue: map[string]int64{name: 1}},
		}
		request.ProtoReflect().SetUnknown(encoded)
		shape := redact.Shape(request).LogValue().String()
		checkLine(t, shape)
		// What is hidden changes nothing but lengths.
		hidden := proto.CloneOf(request)
		other := func(text string) string { return strings.Repeat("~", len(text)) }
		hidden.Etag, hidden.Customer.Aov, hidden.Customer.PurchaseValue = other(name), other(name), map[string]int64{other(name): 2}
		hidden.Customer.Email, hidden.Customer.FullName, hidden.Customer.Notes = proto.String(other(email)), proto.String(other(name)), proto.String(other(path))
		for i, text := range hidden.GetUpdateMask().GetPaths() {
			if !namesField(text) {
				hidden.UpdateMask.Paths[i] = other(text)
			}
		}
		if got := redact.Shape(hidden).LogValue().String(); got != shape {
			t.Errorf("the shape depends on what it hides:\n%s\n%s", shape, got)
		}

		decoded := &customerv1.UpdateCustomerRequest{}
		if proto.Unmarshal(encoded, decoded) == nil {
			checkLine(t, redact.Shape(decoded).LogValue().String())
		}
		packed := &anypb.Any{TypeUrl: path, Value: encoded}
		checkLine(t, redact.Shape(statusWith(packed)).LogValue().String())
	})
}

// namesField reports whether a path is a name that the contract has, which is no secret.
func namesField(path string) bool {
	bare := func(name string) string { return strings.ReplaceAll(name, "_", "") }
	for _, message := range []proto.Message{&customerv1.Customer{}, &fieldmaskpb.FieldMask{}} {
		fields := message.ProtoReflect().Descriptor().Fields()
		for i := range fields.Len() {
			if strings.EqualFold(bare(path), bare(string(fields.Get(i).Name()))) {
				return true
			}
		}
	}
	return path == "*"
}

func checkLine(t *testing.T, shape string) {
	t.Helper()
	if len(shape) > 1100 || strings.ContainsFunc(shape, func(r rune) bool { return !unicode.IsPrint(r) }) || !utf8.ValidString(shape) {
		t.Errorf("no line for a log: %q", shape)
	}
}

// FuzzValues looks for a value in a text that repeats it in one of the usual ways.
func FuzzValues(f *testing.F) {
	for _, value := range []string{"ann@example.com", "Ann-Sophie O'Brien", "Saint-Étienne", "王芳芳", "a%41bcd", `back\u0041slash`, "&#65;bcde", "a+b c", "%25%25%25zzzz"} {
		f.Add(value, "Email already exists:")
	}
	f.Fuzz(func(t *testing.T, value, around string) {
		if !utf8.ValidString(value) || !meaningful(value) {
			t.Skip("says nothing of anybody")
		}
		for field, customer := range map[string]*customerv1.Customer{
			"email": {Email: &value}, "full_name": {FullName: &value}, "notes": {Notes: &value},
		} {
			values := redact.ValuesOf(&customerv1.UpdateCustomerRequest{Customer: customer})
			for name, escape := range escapings {
				if text := fmt.Sprintf("%s %s %s", strings.ReplaceAll(around, `\`, ""), escape(value), around); !values.In(text) {
					t.Errorf("%s, %s: %q is not found in %q", field, name, value, text)
				}
			}
		}
	})
}

// meaningful reports whether a value has a word that is looked for in any case, and is not a word of the contract. What
// looks like an escape in a value is told apart from one by nobody.
func meaningful(value string) bool {
	if strings.ContainsAny(value, `%&\`) || len(strings.Fields(value)) > 3 {
		return false
	}
	words := strings.FieldsFunc(value, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) })
	if len(words) > 8 {
		return false
	}
	own := strings.Fields("customer update email full name first last city state country postcode status notes user contact uuid purchase count value date created updated photo link etag mask validate only paths seconds nanos timestamp fieldmask")
	for _, word := range words {
		known := false
		for _, o := range own {
			known = known || strings.EqualFold(o, word)
		}
		if utf8.RuneCountInString(word) >= 4 && !known && strings.EqualFold(word, strings.ToLower(word)) {
			return true
		}
	}
	return false
}

// asciiJSON is JSON as PHP writes it: what is not ASCII is escaped.
func asciiJSON(v string) string {
	var out strings.Builder
	for _, r := range quotedJSON(v) {
		switch {
		case r < 0x80:
			out.WriteRune(r)
		case r < 0x10000:
			fmt.Fprintf(&out, `\u%04x`, r)
		default:
			fmt.Fprintf(&out, `\u%04x\u%04x`, 0xD800+(r-0x10000)>>10, 0xDC00+(r-0x10000)&0x3FF)
		}
	}
	return out.String()
}
