package service

import (
	"context"
	"strconv"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// checkReplace refuses what needs the customer to be read, which write mode replace does not do.
func checkReplace(request *customerv1.UpdateCustomerRequest) []violation {
	var violations []violation
	if request.GetEtag() != "" {
		violations = append(violations, violation{"etag", "cannot be checked: this gateway runs with --write-mode=replace and does not read the customer"})
	}
	if request.GetValidateOnly() {
		violations = append(violations, violation{"validate_only", "is not possible: this gateway runs with --write-mode=replace and does not read the customer"})
	}
	return violations
}

// replace sends one PUT with just what the request names. Without a read there is nothing to compare a user_id
// with: only 0, which the documented body holds and which links to nobody, is let through.
func (s *Service) replace(ctx context.Context, t *turn, request *customerv1.UpdateCustomerRequest, c *change) (*customerv1.UpdateCustomerResponse, error) {
	may := callerOf(ctx).May
	if value, named := c.values["user_id"]; named && value != "0" && !may.UserID {
		return nil, userLinkUnread()
	}
	if !may.Status {
		return nil, statusUnread()
	}
	asked := &merged{change: c, customer: fluentcart.Customer{ID: request.GetCustomerId()}}
	c.setColumns(&asked.customer)
	asked.customer.FirstName, asked.customer.LastName, _ = c.mergeNames("", "") // checked before
	if !s.store.Healthy() {                                                     // a read shows whether the store is back, rather than a write
		if _, err := s.read(ctx, request); err != nil && !s.store.Healthy() {
			return nil, err
		}
	}
	return s.write(ctx, t, &write{request: request, asked: asked, body: c.replacement(), respond: c.respond})
}

// respond answers with what the store holds after a replacement.
func (c *change) respond(message string, after *fluentcart.Customer) *customerv1.UpdateCustomerResponse {
	response := &customerv1.UpdateCustomerResponse{Message: orUpdated(message), Customer: toProto(after)}
	for _, f := range fields {
		asked, named := c.values[f.name]
		if !named {
			continue
		}
		// What was there before is not known: the empty text stands for it, and for a store that kept nothing.
		if warning := warn(c, f.name, "", asked, f.get(after)); warning != nil {
			response.Warnings = append(response.Warnings, warning)
		}
	}
	return response
}

// replacement is the body of the PUT: what the request names, and the other form of the name where it follows
// from the one that is given (F11).
func (c *change) replacement() fluentcart.Update {
	send := func(name string) fluentcart.Value[string] {
		if value, named := c.values[name]; named {
			return fluentcart.Send(&value)
		}
		return fluentcart.Value[string]{}
	}
	update := fluentcart.Update{
		Email:     send("email"),
		FullName:  send("full_name"),
		FirstName: send("first_name"),
		LastName:  send("last_name"),
		City:      send("city"),
		State:     send("state"),
		Country:   send("country"),
		Postcode:  send("postcode"),
		Status:    send("status"),
		Notes:     send("notes"),
	}
	if value, named := c.values["user_id"]; named {
		id, _ := strconv.ParseInt(value, 10, 64) // it is the text of an int64
		update.UserID = fluentcart.Send(&id)
	}
	if first, last, _ := c.mergeNames("", ""); c.named("full_name") {
		update.FirstName, update.LastName = fluentcart.Send(&first), fluentcart.Send(&last)
	} else if full := joinName(first, last); c.named("first_name") {
		update.FullName = fluentcart.Send(&full)
	}
	return update
}
