package service

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
)

// maxRequest bounds a request as a whole, in bytes. The doors read a little more, so that the answer can be an
// error that says so.
const maxRequest = 64 << 10

// violation is something wrong with one field of the request, named as in the contract: those of the customer
// by their own name.
type violation struct{ field, description string }

// validate checks everything that can be said without the store, and reports all of it at once.
func (s *Service) validate(request *customerv1.UpdateCustomerRequest) (*change, error) {
	if size := proto.Size(request); size > maxRequest {
		return nil, invalid([]violation{{"request", fmt.Sprintf("must be at most %d bytes; it has %d", maxRequest, size)}})
	}
	change, named, violations := readChange(request)
	violations = append(unknownFields("request", request.ProtoReflect()), violations...)
	checked := &customerv1.UpdateCustomerRequest{CustomerId: request.GetCustomerId(), Etag: request.GetEtag()}
	if request.Customer != nil {
		checked.Customer = named
	}
	violations = append(violations, s.brokenRules(checked)...)
	violations = append(violations, change.checkRequired()...)
	if len(violations) == 0 {
		violations = change.checkNames()
	}
	if s.writeMode == Replace {
		violations = append(violations, checkReplace(request)...)
	}
	if len(violations) > 0 {
		return nil, invalid(violations)
	}
	return change, nil
}

// unknownFields finds what a caller's contract has and this one has not, which would be lost without a word. The
// JSON door refuses it by name; here there is only a number. Output-only fields are ignored, whatever they hold.
func unknownFields(name string, message protoreflect.Message) []violation {
	var violations []violation
	seen := map[protowire.Number]bool{}
	for rest := message.GetUnknown(); len(rest) > 0; {
		number, _, size := protowire.ConsumeField(rest)
		if size < 0 {
			break // it has been decoded, and cannot be malformed
		}
		rest = rest[size:]
		if !seen[number] {
			violations = append(violations, violation{name, fmt.Sprintf("has a field %d, which %s does not have here", number, message.Descriptor().FullName())})
		}
		seen[number] = true
	}
	fields := message.Descriptor().Fields()
	for i := range fields.Len() {
		if field := fields.Get(i); field.Message() != nil && !field.IsList() && !field.IsMap() && !outputOnly(field) && message.Has(field) {
			violations = append(violations, unknownFields(string(field.Name()), message.Get(field).Message())...)
		}
	}
	return violations
}

// brokenRules checks the rules that the contract states.
func (s *Service) brokenRules(request *customerv1.UpdateCustomerRequest) []violation {
	err := s.validator.Validate(request)
	if err == nil {
		return nil
	}
	var broken *protovalidate.ValidationError
	if !errors.As(err, &broken) {
		return []violation{{"request", "cannot be checked"}}
	}
	violations := make([]violation, 0, len(broken.Violations))
	for _, v := range broken.Violations {
		description := v.Proto.GetMessage()
		switch text, isText := v.FieldValue.Interface().(string); {
		case v.Proto.GetRuleId() == "string.max_len":
			description = fmt.Sprintf("must be at most %d characters; it has %d", v.RuleValue.Uint(), utf8.RuneCountInString(text))
		case v.Proto.GetRuleId() == "string.max_bytes":
			description = fmt.Sprintf("must be at most %d bytes; it has %d", v.RuleValue.Uint(), len(text))
		case v.Proto.GetRuleId() == "int64.gt":
			description = fmt.Sprintf("must be a whole number from %d to %d", v.RuleValue.Int()+1, math.MaxInt64)
		case v.Proto.GetRuleId() == "int64.gte":
			description = fmt.Sprintf("must be a whole number from %d to %d", v.RuleValue.Int(), math.MaxInt64)
		case isText && text == "":
			description = "cannot be empty: the store requires it"
		case v.Proto.GetRuleId() == "required":
			description = "is required: give the fields to change (over HTTP, a JSON object as the body)"
		}
		violations = append(violations, violation{fieldName(v.FieldDescriptor), description})
	}
	return violations
}

// fieldName is the field's name without the path to it: no two fields of the request share one.
func fieldName(descriptor protoreflect.FieldDescriptor) string {
	if descriptor == nil {
		return "request"
	}
	return string(descriptor.Name())
}

// checkRequired tells a full replacement what it lacks: the store takes no customer without an e-mail or a name.
func (c *change) checkRequired() []violation {
	if c.full && !c.named("full_name") && !c.named("first_name") {
		return []violation{{"full_name", "is required when update_mask is *; give full_name, or first_name and last_name"}}
	}
	return nil
}
