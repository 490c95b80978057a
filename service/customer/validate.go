package customer

import (
	"errors"
	"fmt"
	"math"
	"unicode/utf8"

	"buf.build/go/protovalidate"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
)

// maxRequest bounds a request, in bytes. The transports read a little more, so that the response can be an error that
// says so.
const maxRequest = 64 << 10

// Validator checks requests against the rules that the contract states. It is safe for concurrent use.
type Validator struct {
	rules   protovalidate.Validator
	lengths [fieldCount]lengths
}

// NewValidator compiles the rules of the contract.
func NewValidator() (*Validator, error) {
	rules, err := protovalidate.New(
		protovalidate.WithMessages(&customerv1.UpdateCustomerRequest{}, &customerv1.GetCustomerRequest{}),
		protovalidate.WithDisableLazy(),
	)
	if err != nil {
		return nil, fmt.Errorf("compile the contract's rules: %w", err)
	}
	return &Validator{rules, allLengths()}, nil
}

// CheckGet checks the request of a read, and returns all violations.
func (v *Validator) CheckGet(request *customerv1.GetCustomerRequest) []apierror.Violation {
	return append(unknownFields("request", request.ProtoReflect()), v.brokenRules(request)...)
}

// CheckUpdate returns what a request names, and checks everything that can be checked without the store. It returns all
// violations at once. If stored values may excuse all of them, it returns none, and the change keeps them for Merge.
func (v *Validator) CheckUpdate(request *customerv1.UpdateCustomerRequest) (*Change, []apierror.Violation) {
	if size := proto.Size(request); size > maxRequest {
		return nil, []apierror.Violation{{Field: "request", Description: fmt.Sprintf("must be at most %d bytes; it has %d", maxRequest, size)}}
	}
	violations := unknownFields("request", request.ProtoReflect())
	change, named, wrongPaths := readChange(request)
	violations = append(violations, wrongPaths...)
	if !v.certainlyValid(request, change) {
		checked := &customerv1.UpdateCustomerRequest{CustomerId: request.GetCustomerId(), Etag: request.GetEtag(), RequestId: request.GetRequestId()}
		if request.Customer != nil {
			checked.Customer = named
		}
		violations = append(violations, v.brokenRules(checked)...)
	}
	violations = append(violations, change.checkRequired()...)
	if len(violations) == 0 {
		violations = change.checkNames()
	}
	return change, change.excuse(violations)
}

// unknownFields reports fields of a newer contract, which would otherwise be lost silently. The HTTP/JSON gateway
// rejects them by name; protobuf has only their number. Output-only fields are ignored, whatever they hold.
func unknownFields(name string, message protoreflect.Message) []apierror.Violation {
	var violations []apierror.Violation
	seen := map[protowire.Number]bool{}
	for rest := message.GetUnknown(); len(rest) > 0; {
		number, _, size := protowire.ConsumeField(rest)
		if size < 0 {
			break // the message has been decoded, so its fields are well-formed
		}
		rest = rest[size:]
		if !seen[number] {
			violations = append(violations, apierror.Violation{Field: name, Description: fmt.Sprintf("has a field %d, which %s does not have here", number, message.Descriptor().FullName())})
		}
		seen[number] = true
	}
	descriptors := message.Descriptor().Fields()
	for i := range descriptors.Len() {
		field := descriptors.Get(i)
		if field.Message() == nil || field.IsList() || field.IsMap() || !message.Has(field) {
			continue
		}
		if within := unknownFields(string(field.Name()), message.Get(field).Message()); len(within) > 0 && !OutputOnly(field) {
			violations = append(violations, within...)
		}
	}
	return violations
}

// brokenRules checks the rules that the contract states.
func (v *Validator) brokenRules(request proto.Message) []apierror.Violation {
	err := v.rules.Validate(request)
	if err == nil {
		return nil
	}
	var broken *protovalidate.ValidationError
	if !errors.As(err, &broken) {
		return []apierror.Violation{{Field: "request", Description: "cannot be checked"}}
	}
	violations := make([]apierror.Violation, 0, len(broken.Violations))
	for _, violation := range broken.Violations {
		violations = append(violations, apierror.Violation{Field: fieldName(violation.FieldDescriptor), Description: describe(violation)})
	}
	return violations
}

// describe says what is wrong with a value and what would be right.
func describe(violation *protovalidate.Violation) string {
	text, isText := violation.FieldValue.Interface().(string)
	switch rule := violation.Proto.GetRuleId(); {
	case rule == "string.max_len":
		return fmt.Sprintf("must be at most %d characters; it has %d", violation.RuleValue.Uint(), utf8.RuneCountInString(text))
	case rule == "string.max_bytes":
		return fmt.Sprintf("must be at most %d bytes; it has %d", violation.RuleValue.Uint(), len(text))
	case rule == "int64.gt":
		return fmt.Sprintf("must be a whole number from %d to %d", violation.RuleValue.Int()+1, math.MaxInt64)
	case rule == "int64.gte":
		return fmt.Sprintf("must be a whole number from %d to %d", violation.RuleValue.Int(), math.MaxInt64)
	case rule == "string.uuid":
		return "must be a UUID, such as 6f1b0e0c-2c4b-4f0a-9a55-5f0f3c1d7a10"
	case isText && text == "":
		return "cannot be empty: the store requires it"
	case rule == "required":
		return "is required: give the fields to change (over HTTP, a JSON object as the body); GetCustomer (over HTTP, GET) reads a customer"
	}
	return violation.Proto.GetMessage()
}

// fieldName returns a field's name without the path to it: no two fields of the request share a name.
func fieldName(descriptor protoreflect.FieldDescriptor) string {
	if descriptor == nil {
		return "request"
	}
	return string(descriptor.Name())
}
