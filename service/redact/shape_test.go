package redact_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/redact"
)

func TestShapeShowsFieldsWithoutPersonalValues(t *testing.T) {
	unknown := &customerv1.UpdateCustomerRequest{CustomerId: 1}
	unknown.ProtoReflect().SetUnknown(protoreflect.RawFields("\x9a\x06\x03Ann\xa0\x06\x01"))
	packed, err := anypb.New(&customerv1.Customer{Email: proto.String("ann@example.com"), UserId: proto.Int64(7)})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name    string
		message proto.Message
		shape   string
	}{
		{"nothing", &customerv1.UpdateCustomerRequest{}, ""},
		{"no message", (*customerv1.UpdateCustomerRequest)(nil), ""},
		{"a usual request", &customerv1.UpdateCustomerRequest{
			CustomerId: 1,
			Customer:   &customerv1.Customer{Email: proto.String("ann@example.com"), City: proto.String("Lyon")},
			UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"city", "fullName", "*"}},
		}, "customer_id:1 customer:{email:[15 B] city:[4 B]} update_mask:[city full_name *]"},
		{"a cleared field", &customerv1.Customer{Notes: proto.String("")}, "notes:[0 B]"},
		{"paths that are not fields", &customerv1.UpdateCustomerRequest{
			UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"ann@example.com", "Smith"}}, Etag: "Ann", ValidateOnly: true,
		}, "update_mask:[[15 B] [5 B]] etag:[3 B] validate_only:true"},
		{"personal numbers, times and maps", &customerv1.Customer{
			Ltv: proto.Int64(24900), PurchaseValue: map[string]int64{"USD": 24900}, FirstPurchaseDate: timestamppb.New(timestamppb.New(epoch).AsTime()), Id: 5,
		}, "id:5 ltv:[set] purchase_value:[1 entries] first_purchase_date:[6 B]"},
		{"unknown fields", unknown, "customer_id:1 unknown:[2 fields, 9 B]"},
		{"a packed message at the top", packed, "[74 B]"},
		{"lists", &customerv1.UpdateCustomerResponse{
			ChangedFields: strings.Split("a b c d e f g h i j", " "),
			Warnings:      []*customerv1.Warning{{Field: "city", Reason: customerv1.Warning_REASON_CLEANED}, {Reason: 77}},
		}, `changed_fields:["a" "b" "c" "d" "e" "f" "g" "h" 2 more] warnings:[{field:"city" reason:REASON_CLEANED} {reason:77}]`},
		{"control characters and invalid UTF-8", wrapperspb.String("a\r\n\x1b[31m\u2028\x00\xff"), `value:"a\r\n\x1b[31m\u2028\x00\xff"`},
		{"bytes", wrapperspb.Bytes([]byte("Ann")), `value:[3 B]`},
	} {
		t.Run(row.name, func(t *testing.T) {
			if diff := cmp.Diff(row.shape, redact.Shape(row.message).LogValue().String()); diff != "" {
				t.Errorf("shape (-want +got):\n%s", diff)
			}
		})
	}
}

// A packed message shows its size only: its type is text that the sender chose, and its content may be personal.
func TestShapeOfPackedMessages(t *testing.T) {
	known, err := anypb.New(&customerv1.Customer{Email: proto.String("ann@example.com"), UserId: proto.Int64(7)})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name   string
		packed *anypb.Any
		shape  string
	}{
		{"a known type", known, "details:[{[74 B]}]"},
		{"an unknown type", &anypb.Any{TypeUrl: "example.com/Ann", Value: []byte("Smith")}, "details:[{[24 B]}]"},
		{"a known type with other bytes", &anypb.Any{TypeUrl: known.GetTypeUrl(), Value: []byte("Smith")}, "details:[{[60 B]}]"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if diff := cmp.Diff(row.shape, redact.Shape(statusWith(row.packed)).LogValue().String()); diff != "" {
				t.Errorf("shape (-want +got):\n%s", diff)
			}
		})
	}
}

func TestShapeIsBounded(t *testing.T) {
	deep := structpb.NewStringValue("deep")
	for range 1000 {
		deep = structpb.NewListValue(&structpb.ListValue{Values: []*structpb.Value{deep}})
	}
	wide := &structpb.ListValue{}
	for range 8 {
		inner := &structpb.ListValue{}
		for range 8 {
			inner.Values = append(inner.Values, structpb.NewStringValue(strings.Repeat("é", 1000)))
		}
		wide.Values = append(wide.Values, structpb.NewListValue(inner))
	}
	for name, message := range map[string]proto.Message{"deep": deep, "wide": wide} {
		shape := redact.Shape(message).LogValue().String()
		if len(shape) > 1100 || !strings.Contains(shape, "…") || strings.Contains(shape, "\n") {
			t.Errorf("%s: %d bytes: %s", name, len(shape), shape)
		}
	}
}

// The shape is made when the line is written.
func TestShapeIsALogValue(t *testing.T) {
	var log bytes.Buffer
	request := redact.Shape(&customerv1.Customer{Email: proto.String("ann@example.com")})
	slog.New(slog.NewJSONHandler(&log, nil)).Info("call", slog.Any("request", request))
	if !strings.Contains(log.String(), `"request":"email:[15 B]"`) {
		t.Errorf("logged %s", log.String())
	}
}
