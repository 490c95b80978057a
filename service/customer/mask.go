package customer

import (
	"fmt"
	"strings"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
)

// everything is the mask path that stands for all writable fields.
const everything = "*"

// maxPaths bounds the paths of a mask. It is several times the number of a customer's fields.
const maxPaths = 64

// mask is an update_mask.
type mask struct {
	absent bool
	full   bool // its path is *
	has    [fieldCount]bool
}

// readMask resolves the paths of an update_mask, and reports those that are wrong.
func readMask(paths []string) (mask, []apierror.Violation) {
	var violations []apierror.Violation
	add := func(description string) {
		violations = append(violations, apierror.Violation{Field: "update_mask", Description: description})
	}
	if len(paths) > maxPaths {
		add(fmt.Sprintf("must have at most %d paths; it has %d", maxPaths, len(paths)))
		paths = paths[:maxPaths]
	}
	m := mask{absent: len(paths) == 0}
	for _, path := range paths {
		if path == everything {
			m.full = true
			if len(paths) > 1 {
				add("* stands for all writable fields; it must be the only path")
			}
			continue
		}
		id, problem := resolvePath(path)
		if problem == "" {
			m.has[id] = true
			continue
		}
		if len(violations) == 0 {
			problem += "; writable are " + WritableFields()
		}
		add(problem)
	}
	return m, violations
}

// resolvePath returns the writable field of a mask path in snake_case or lowerCamelCase, or what is wrong with the path.
func resolvePath(path string) (id fieldID, problem string) {
	for id := range fieldCount {
		if isPathOf(path, fields[id].name) {
			return id, ""
		}
	}
	quoted := apierror.QuoteName(path)
	if strings.HasPrefix(path, "customer.") {
		return 0, fmt.Sprintf("%s: paths begin inside the customer; leave %q out", quoted, "customer.")
	}
	descriptors := (*customerv1.Customer)(nil).ProtoReflect().Descriptor().Fields()
	for i := range descriptors.Len() {
		if descriptor := descriptors.Get(i); isPathOf(path, string(descriptor.Name())) && OutputOnly(descriptor) {
			return 0, quoted + " is output only"
		}
	}
	return 0, quoted + " is not a field of Customer" + Meant(path)
}

func isPathOf(path, name string) bool { return path == name || path == lowerCamel(name) }

func lowerCamel(name string) string {
	words := strings.Split(name, "_")
	for i, word := range words[1:] {
		words[i+1] = strings.ToUpper(word[:1]) + word[1:]
	}
	return strings.Join(words, "")
}
