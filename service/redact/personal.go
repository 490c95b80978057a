// Package redact tells what may be said, in a log or to somebody else, about what a message holds. What is personal the
// contract says: its fields are marked with the option debug_redact, for which neither prototext nor a message's String
// method care.
package redact

import (
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

// personal reports whether a field's values are never to be told. The options are decoded once by protobuf itself.
func personal(field protoreflect.FieldDescriptor) bool {
	options, _ := field.Options().(*descriptorpb.FieldOptions)
	return options.GetDebugRedact()
}
