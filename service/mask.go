package service

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
)

// everything is the mask path that stands for all writable fields.
const everything = "*"

// maxPaths is several times what a customer has fields.
const maxPaths = 64

// change is what a request names: the writable fields and their values as text. A cleared field is named with
// the empty text (user_id: "0").
type change struct {
	values map[string]string
	full   bool // the mask is *: the writable fields that are absent are cleared
}

// named reports whether the request names a field.
func (c *change) named(name string) bool {
	_, ok := c.values[name]
	return ok
}

// namesName reports whether the request names any of the three names.
func (c *change) namesName() bool {
	return c.named("full_name") || c.named("first_name") || c.named("last_name")
}

// readChange works out what the request names, and returns it also as a Customer that holds just that, for the
// contract's rules to be checked on. Fields outside the mask, and output-only ones, are not looked at.
func readChange(request *customerv1.UpdateCustomerRequest) (*change, *customerv1.Customer, []violation) {
	customer := request.GetCustomer().ProtoReflect()
	paths := request.GetUpdateMask().GetPaths()
	var violations []violation
	if len(paths) > maxPaths {
		violations = append(violations, violation{"update_mask", fmt.Sprintf("must have at most %d paths; it has %d", maxPaths, len(paths))})
		paths = paths[:maxPaths]
	}
	full := slices.Contains(paths, everything)
	inMask := map[string]bool{}
	for _, path := range paths {
		switch name, problem := resolvePath(customer.Descriptor(), path); {
		case path == everything && len(paths) > 1:
			violations = append(violations, violation{"update_mask", "* stands for all writable fields; it must be the only path"})
		case path == everything:
		case problem != "":
			if len(violations) == 0 {
				problem += "; writable are " + writable()
			}
			violations = append(violations, violation{"update_mask", problem})
		default:
			inMask[name] = true
		}
	}

	named := &customerv1.Customer{}
	values := map[string]string{}
	descriptors := customer.Descriptor().Fields()
	for _, f := range fields {
		descriptor := descriptors.ByName(protoreflect.Name(f.name))
		present := customer.IsValid() && customer.Has(descriptor)
		switch {
		case len(paths) == 0 && !present, len(paths) > 0 && !full && !inMask[f.name]:
			continue // not named
		case full && !present && (f.name == "user_id" || isName(f.name)):
			continue // the link is kept, and an absent name follows from the others
		}
		value := descriptor.Default()
		if present {
			value = customer.Get(descriptor)
		}
		named.ProtoReflect().Set(descriptor, value)
		values[f.name] = value.String()
	}
	return &change{values: values, full: full}, named, violations
}

// resolvePath returns the writable field of a mask path in snake_case or lowerCamelCase, or what is wrong with it.
func resolvePath(customer protoreflect.MessageDescriptor, path string) (name, problem string) {
	for _, f := range fields {
		if path == f.name || path == lowerCamel(f.name) {
			return f.name, ""
		}
	}
	if strings.HasPrefix(path, "customer.") {
		return "", fmt.Sprintf("%s: paths begin inside the customer; leave %q out", quoted(path), "customer.")
	}
	for i := range customer.Fields().Len() {
		field := customer.Fields().Get(i)
		if name := string(field.Name()); (path == name || path == lowerCamel(name)) && outputOnly(field) {
			return "", quoted(path) + " is output only"
		}
	}
	return "", quoted(path) + " is not a field of Customer"
}

func outputOnly(field protoreflect.FieldDescriptor) bool {
	behaviors, _ := proto.GetExtension(field.Options(), annotations.E_FieldBehavior).([]annotations.FieldBehavior)
	return slices.Contains(behaviors, annotations.FieldBehavior_OUTPUT_ONLY)
}

func lowerCamel(name string) string {
	words := strings.Split(name, "_")
	for i, word := range words[1:] {
		words[i+1] = strings.ToUpper(word[:1]) + word[1:]
	}
	return strings.Join(words, "")
}

func writable() string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.name
	}
	return strings.Join(names, ", ")
}

// quoted repeats a name of the request in an error, if it looks like one: what was put there by mistake, such as an
// e-mail address, is not repeated.
func quoted(name string) string {
	if len(name) > 40 || strings.Trim(name, nameLetters) != "" {
		return fmt.Sprintf("a name of %d bytes", len(name))
	}
	return strconv.Quote(name)
}

// nameLetters are what names of fields, and the paths to them, are made of.
const nameLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.*"
