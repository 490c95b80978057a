package customer

import (
	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// DryRun answers as if the customer had been written.
func (m *Merged) DryRun() (*customerv1.UpdateCustomerResponse, error) {
	if !m.Differs() {
		return m.respond(messageDryRun, m.before), nil
	}
	after, err := m.asStored()
	if err != nil {
		return nil, err
	}
	response := m.respond(messageDryRun, after)
	response.Customer.Etag = etag(m.before) // the etag that the write itself has to match
	m.warnOfAccount(response)
	return response, nil
}

// asStored returns the customer as the store would keep it, or the store's refusal, as far as it can be known without
// asking the store. In names, city and e-mail the store refuses what it sanitizes elsewhere (F10, F28).
func (m *Merged) asStored() (*fluentcart.Customer, error) {
	after := m.after
	var violations []apierror.Violation
	for i, f := range fields {
		id := fieldID(i)
		asked := m.asked(id)
		sanitized := f.sanitized(asked)
		if (id.isName() || id == city || id == email) && sanitized.text != trim(asked.text) {
			violations = append(violations, m.refusal(id, "sanitizeText"))
		}
		if id == fullName && asked.text == "" { // neither kind of store accepts that (F11)
			violations = append(violations, m.refusal(id, "required"))
		}
		if id == email && !isEmail(asked.text) {
			violations = append(violations, m.refusal(id, "email"))
		}
		if f.set != nil && sanitized != asked {
			f.set(&after, sanitized)
		}
	}
	if m.LinkedUser() > 0 {
		after.Email = m.before.Email // the store keeps its own (F7)
	}
	if len(violations) > 0 {
		return nil, apierror.New(apierror.StoreValidation, apierror.NotSent,
			"the store would refuse the update: "+apierror.Summary(violations), apierror.BadRequest(violations))
	}
	return &after, nil
}
