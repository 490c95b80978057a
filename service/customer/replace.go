package customer

import (
	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// Write mode replace sends one PUT with only what the request names. The customer is not read before.

// CheckReplace reports what needs a read, which write mode replace does not do.
func CheckReplace(request *customerv1.UpdateCustomerRequest) []apierror.Violation {
	var violations []apierror.Violation
	if request.GetEtag() != "" {
		violations = append(violations, apierror.Violation{Field: "etag", Description: "cannot be checked: this gateway runs with --write-mode=replace and does not read the customer"})
	}
	if request.GetValidateOnly() {
		violations = append(violations, apierror.Violation{Field: "validate_only", Description: "is not possible: this gateway runs with --write-mode=replace and does not read the customer"})
	}
	return violations
}

// Replace applies the change to a customer that was not read.
func (c *Change) Replace(customer int64) *Merged {
	m := &Merged{change: c, after: fluentcart.Customer{ID: customer}}
	for id, f := range fields {
		if c.named[id] && f.set != nil && (!f.optional || c.values[id] != value{}) { // the store clears what is left out (F2)
			f.set(&m.after, c.values[id])
		}
	}
	m.after.FirstName, m.after.LastName, _ = c.mergeNames("", "") // the names were checked before
	return m
}

// NamesDocumented reports whether the request names all nine fields of the documented body.
func (c *Change) NamesDocumented() bool {
	for _, id := range []fieldID{email, fullName, city, status, notes, country, state, postcode, userID} {
		if !c.named[id] {
			return false
		}
	}
	return true
}

// LinksUser reports whether the request names a user_id other than 0.
func (c *Change) LinksUser() bool { return c.values[userID].number != 0 }
