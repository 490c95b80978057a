package customer

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// The messages of responses to updates.
const (
	messageUpdated   = "Customer updated successfully!" // FluentCart's own
	messageUnchanged = "Nothing was written: the customer already is as asked."
	messageDryRun    = "Nothing was written: validate_only is set."
	messageRepeated  = "Nothing was written: the update with this request_id was applied already."
)

// Response compares what was asked with what the store holds after the write, and returns the latter.
func (m *Merged) Response(stored *fluentcart.Customer) *customerv1.UpdateCustomerResponse {
	response := m.respond(messageUpdated, stored)
	if stored.UpdatedAt.IsZero() && (m.before == nil || !m.before.UpdatedAt.IsZero()) {
		response.Customer.Etag = "" // the time that the next read will show belongs to the etag, and is not known yet
	}
	m.warnOfAccount(response)
	return response
}

// Unchanged returns the response to an update that has nothing to change.
func (m *Merged) Unchanged() *customerv1.UpdateCustomerResponse {
	return m.respond(messageUnchanged, m.before)
}

func (m *Merged) respond(message string, stored *fluentcart.Customer) *customerv1.UpdateCustomerResponse {
	response := &customerv1.UpdateCustomerResponse{Message: message, Customer: toProto(stored)}
	for i, f := range fields {
		id := fieldID(i)
		if m.before == nil && !m.change.named[id] {
			continue
		}
		is := m.shownBy(stored, id)
		var was value // without a read it is not known, and stays empty
		if m.before != nil {
			if was = f.get(m.before); was != is {
				response.ChangedFields = append(response.ChangedFields, f.name)
			}
		}
		if warning := m.warn(id, was, is); warning != nil {
			response.Warnings = append(response.Warnings, warning)
		}
	}
	return response
}

// warn returns a Warning if the store does not hold what was asked.
func (m *Merged) warn(id fieldID, was, is value) *customerv1.Warning {
	asked := m.asked(id)
	if is == asked {
		return nil
	}
	warning := &customerv1.Warning{Field: fields[id].name}
	switch {
	case !m.change.named[id] && asked == was:
		warning.Reason = customerv1.Warning_REASON_CHANGED_UNASKED
		warning.Description = "the store changed this field although the request does not name it"
	case is == fields[id].sanitized(asked):
		warning.Reason = customerv1.Warning_REASON_CLEANED
		warning.Description = "the store cleaned the text: no line breaks, tabs, runs of spaces, HTML tags, outer spaces, or % with two hexadecimal digits, and &lt; for a < without a > behind it"
	case is == was:
		warning.Reason = customerv1.Warning_REASON_NOT_STORED
		warning.Description = "the store kept the value it had before"
	default:
		warning.Reason = customerv1.Warning_REASON_STORED_DIFFERENTLY
		warning.Description = "the store keeps another value than the one asked for"
	}
	return warning
}

// warnOfAccount adds the warning that the write rewrites the WordPress account that the customer was linked to (F26).
// Without a read the link is not known: the store follows the one of before the write (F12).
func (m *Merged) warnOfAccount(response *customerv1.UpdateCustomerResponse) {
	if m.before == nil || m.LinkedUser() <= 0 {
		return
	}
	response.Warnings = append(response.Warnings, &customerv1.Warning{
		Field:  fields[userID].name,
		Reason: customerv1.Warning_REASON_WORDPRESS_ACCOUNT_REWRITTEN,
		Description: fmt.Sprintf("the customer is linked to WordPress user %d, and an update of it makes the store write the customer's name onto that account: "+
			"display name, nickname, first and last name, and nicename (the author's address)", m.LinkedUser()),
	})
}

// ReadResponse returns the response to a read.
func ReadResponse(read *fluentcart.Customer) *customerv1.GetCustomerResponse {
	return &customerv1.GetCustomerResponse{Customer: toProto(read)}
}

// toProto shows every text field, NULL as the empty text, so that a response always has the same fields.
func toProto(c *fluentcart.Customer) *customerv1.Customer {
	shown := &customerv1.Customer{
		Id:                c.ID,
		ContactId:         c.ContactID,
		Uuid:              c.UUID,
		PurchaseCount:     c.PurchaseCount,
		Ltv:               c.LTV,
		Aov:               valueOf(c.AOV),
		PurchaseValue:     c.PurchaseValue,
		FirstPurchaseDate: timestamp(c.FirstPurchase),
		LastPurchaseDate:  timestamp(c.LastPurchase),
		CreatedAt:         timestamp(c.CreatedAt),
		UpdatedAt:         timestamp(c.UpdatedAt),
		Photo:             c.Photo,
		CountryName:       c.CountryName,
		UserLink:          c.UserLink,
		Etag:              etag(c),
	}
	for _, f := range fields {
		f.show(shown, f.get(c))
	}
	return shown
}

func timestamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}
