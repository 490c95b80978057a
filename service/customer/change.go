// Package customer turns a request and a stored customer into what is written and answered: mask, merge, names,
// validation, etag, sanitizing, dry run, response. It does no I/O.
//
// Facts about the store are quoted as F1 to F34 from fluentcart/BEHAVIOUR.md.
package customer

import (
	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
)

// Change is what a request names: writable fields and their values. A cleared field is named with the empty value.
type Change struct {
	values [fieldCount]value
	named  [fieldCount]bool
	full   bool // the mask is *: the writable fields that are absent are cleared

	unlessStored []apierror.Violation // excused if the value is the stored one (excuse.go)
}

// namesAnyName reports whether the request names any of the three names.
func (c *Change) namesAnyName() bool {
	return c.named[fullName] || c.named[firstName] || c.named[lastName]
}

// readChange returns what the request names. It also returns a Customer that holds nothing else, so that the rules of the
// contract can be checked on it. Fields outside the mask and output-only fields are ignored.
func readChange(request *customerv1.UpdateCustomerRequest) (*Change, *customerv1.Customer, []apierror.Violation) {
	mask, violations := readMask(request.GetUpdateMask().GetPaths())
	change := &Change{full: mask.full}
	checked := &customerv1.Customer{}
	for id := range fieldCount {
		v, present := fields[id].read(request.GetCustomer())
		switch {
		case mask.absent && !present, !mask.absent && !mask.full && !mask.has[id]:
			continue // not named
		case mask.full && !present && (id == userID || id.isName()):
			continue // the link is kept, and an absent name follows from the other names
		}
		change.values[id], change.named[id] = v, true
		fields[id].show(checked, v)
	}
	return change, checked, violations
}

// checkRequired reports what a full replacement lacks: the store accepts no customer without a name.
func (c *Change) checkRequired() []apierror.Violation {
	if c.full && !c.named[fullName] && !c.named[firstName] {
		return []apierror.Violation{{Field: "full_name", Description: "is required when update_mask is *; give full_name, or first_name and last_name"}}
	}
	return nil
}
