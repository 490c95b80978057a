package server

import (
	"slices"
	"strings"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
)

// outputOnly reports whether the contract marks a field as OUTPUT_ONLY.
func outputOnly(field protoreflect.FieldDescriptor) bool {
	behaviors, _ := proto.GetExtension(field.Options(), annotations.E_FieldBehavior).([]annotations.FieldBehavior)
	return slices.Contains(behaviors, annotations.FieldBehavior_OUTPUT_ONLY)
}

// writableFields returns the names of the customer's writable fields, in the order of the contract.
func writableFields() string {
	var names []string
	fields := (&customerv1.Customer{}).ProtoReflect().Descriptor().Fields()
	for i := range fields.Len() {
		if field := fields.Get(i); !outputOnly(field) {
			names = append(names, field.JSONName())
		}
	}
	return strings.Join(names, ", ")
}
