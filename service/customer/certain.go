package customer

import (
	validatepb "buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
)

// lengths are the lengths, in bytes, at which a text certainly keeps the rules of its field in the contract. most is
// negative if the field has rules besides its length: then no length is enough.
type lengths struct{ least, most int }

// lengthsOf derives the lengths from the rules of a field.
func lengthsOf(rules *validatepb.FieldRules) lengths {
	text := rules.GetString()
	only := &validatepb.StringRules{}
	l := lengths{}
	switch {
	case text.HasMaxLen():
		only.SetMaxLen(text.GetMaxLen())
		l.most = int(min(text.GetMaxLen(), maxRequest)) // a text has at most as many characters as bytes
	case text.HasMaxBytes():
		only.SetMaxBytes(text.GetMaxBytes())
		l.most = int(min(text.GetMaxBytes(), maxRequest))
	}
	if text.HasMinLen() && text.GetMinLen() == 1 {
		only.SetMinLen(1)
		l.least = 1
	}
	if !proto.Equal(rules, validatepb.FieldRules_builder{String: only}.Build()) {
		return lengths{most: -1} // there are rules that only protovalidate knows
	}
	return l
}

// allLengths returns the lengths of all writable fields.
func allLengths() (all [fieldCount]lengths) {
	descriptors := (*customerv1.Customer)(nil).ProtoReflect().Descriptor().Fields()
	for id, f := range fields {
		options := descriptors.ByName(protoreflect.Name(f.name)).Options()
		if rules, ok := proto.GetExtension(options, validatepb.E_Field).(*validatepb.FieldRules); ok {
			all[id] = lengthsOf(rules)
		}
	}
	return all
}

// certainlyValid reports whether the request obviously keeps the rules of the contract, as most do: they set short texts.
// Then protovalidate is not run. It takes little time, but it grows the goroutine's stack, and the stack stays that large
// while the call waits in the queue: protovalidate would double it.
func (v *Validator) certainlyValid(request *customerv1.UpdateCustomerRequest, change *Change) bool {
	if request.GetCustomerId() <= 0 || request.Customer == nil || request.GetEtag() != "" || request.GetRequestId() != "" || change.named[userID] {
		return false
	}
	for id, length := range v.lengths {
		if n := len(change.values[id].text); change.named[id] && (n < length.least || n > length.most) {
			return false
		}
	}
	return true
}
