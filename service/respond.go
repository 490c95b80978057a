package service

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// respond compares what was asked with what the store holds, and answers with the latter.
func respond(message string, asked *merged, after *fluentcart.Customer) *customerv1.UpdateCustomerResponse {
	response := &customerv1.UpdateCustomerResponse{Message: message, Customer: toProto(after)}
	for _, f := range fields {
		was, is := f.get(asked.before), f.get(after)
		if was != is {
			response.ChangedFields = append(response.ChangedFields, f.name)
		}
		if warning := warn(asked.change, f.name, was, asked.asked(f), is); warning != nil {
			response.Warnings = append(response.Warnings, warning)
		}
	}
	return response
}

// warn returns a Warning if the store does not hold what was asked.
func warn(c *change, name, was, asked, is string) *customerv1.Warning {
	if is == asked {
		return nil
	}
	warning := &customerv1.Warning{Field: name}
	switch {
	case !c.named(name) && asked == was:
		warning.Reason = customerv1.Warning_REASON_CHANGED_UNASKED
		warning.Description = "the store changed this field although the request does not name it"
	case is == clean(asked):
		warning.Reason = customerv1.Warning_REASON_CLEANED
		warning.Description = "the store cleaned the text: no line breaks, tabs, runs of spaces, HTML tags, outer spaces, or % with two hexadecimal digits"
	case is == was:
		warning.Reason = customerv1.Warning_REASON_NOT_STORED
		warning.Description = "the store kept the value it had before"
	default:
		warning.Reason = customerv1.Warning_REASON_STORED_DIFFERENTLY
		warning.Description = "the store keeps another value than the one asked for"
	}
	return warning
}

// toProto gives every text of the store's, NULL as the empty text, so that an answer always has the same fields.
func toProto(c *fluentcart.Customer) *customerv1.Customer {
	fullName := joinName(c.FirstName, c.LastName)
	return &customerv1.Customer{
		Id:                c.ID,
		Email:             &c.Email,
		FullName:          &fullName,
		FirstName:         &c.FirstName,
		LastName:          &c.LastName,
		City:              filled(c.City),
		State:             filled(c.State),
		Country:           filled(c.Country),
		Postcode:          filled(c.Postcode),
		Status:            filled(c.Status),
		Notes:             &c.Notes,
		UserId:            filled(c.UserID),
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
}

func filled[T any](p *T) *T {
	value := valueOf(p)
	return &value
}

func timestamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}
