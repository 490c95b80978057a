package redact_test

import (
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

// statusWith returns a message with a packed detail.
func statusWith(packed *anypb.Any) proto.Message {
	return &status.Status{Details: []*anypb.Any{packed}}
}

// FuzzShape makes shapes of requests with any texts, and of any bytes decoded as a request. A shape is one line of
// printable text within its bound, and does not depend on personal values.
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
		// A hidden value may only show its length.
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

// namesField reports whether a path is the name of a field of the contract, which is not secret.
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
		t.Errorf("not fit for a log line: %q", shape)
	}
}
