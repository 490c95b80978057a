// Package redact makes log values of messages and panics without personal data. The contract says which fields are
// personal: they have the option debug_redact, which neither prototext nor a message's String method respects.
package redact

import (
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

// personal reports whether a field's values must never be shown.
func personal(field protoreflect.FieldDescriptor) bool {
	options, _ := field.Options().(*descriptorpb.FieldOptions)
	return options.GetDebugRedact()
}
