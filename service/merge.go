package service

import (
	"strconv"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// merged is the customer as it was read, with what the request names put in.
type merged struct {
	change   *change
	before   *fluentcart.Customer // as it was read; nil where nothing was
	customer fluentcart.Customer
}

// merge puts the change into the customer that was read, after refusing what must not, or cannot, be written.
// A NULL that is not changed stays a NULL.
func (c *change) merge(before *fluentcart.Customer, may auth.Permissions) (*merged, error) {
	if err := c.guard(before, may); err != nil {
		return nil, err
	}
	m := &merged{change: c, before: before, customer: *before}
	c.setColumns(&m.customer)
	if !c.namesName() {
		return m, nil
	}
	first, last, problem := c.mergeNames(before.FirstName, before.LastName)
	if problem != "" {
		return nil, invalid([]violation{{"full_name", problem}})
	}
	if violations := c.checkNameLengths(first, last); len(violations) > 0 {
		return nil, invalid(violations)
	}
	if first == "" {
		return nil, invalid([]violation{{"first_name", "the stored customer has no first name, and the store requires one; give full_name, or first_name and last_name"}})
	}
	m.customer.FirstName, m.customer.LastName = first, last
	return m, nil
}

// setColumns puts the values that the request names into a customer; the names are not among them.
func (c *change) setColumns(customer *fluentcart.Customer) {
	for _, f := range fields {
		if value, named := c.values[f.name]; named && f.set != nil && value != f.get(customer) {
			f.set(customer, value)
		}
	}
}

// guard refuses what the store would ignore, what would be dangerous, and what this caller may not do.
func (c *change) guard(before *fluentcart.Customer, may auth.Permissions) error {
	linked := valueOf(before.UserID)
	if value, named := c.values["user_id"]; named && value != strconv.FormatInt(linked, 10) && !may.UserID {
		return userLinkForbidden(linked)
	}
	if value, named := c.values["status"]; named && value != valueOf(before.Status) && !may.Status {
		return statusForbidden()
	}
	if value, named := c.values["email"]; named && linked > 0 && value != before.Email {
		return emailOwned(before.ID, linked)
	}
	return nil
}

// asked returns the value of a field that the request, or what was read, asks for.
func (m *merged) asked(f field) string {
	if value, named := m.change.values[f.name]; named {
		return value
	}
	return f.get(&m.customer)
}

// differs reports whether anything would change. A name that differs by outer spaces only does not: the store
// trims them (F10).
func (m *merged) differs() bool {
	for _, f := range fields {
		if f.get(&m.customer) != f.get(m.before) {
			return true
		}
	}
	return false
}

// update is the body of the PUT: every column that the store would clear otherwise (F2, F4), and all three
// names, so that both kinds of store find theirs (F11).
func (m *merged) update() fluentcart.Update {
	c := &m.customer
	full := joinName(c.FirstName, c.LastName)
	if given, named := m.change.values["full_name"]; named {
		full = given
	}
	return fluentcart.Update{
		Email:     fluentcart.Send(&c.Email),
		FullName:  fluentcart.Send(&full),
		FirstName: fluentcart.Send(&c.FirstName),
		LastName:  fluentcart.Send(&c.LastName),
		City:      fluentcart.Send(c.City),
		State:     fluentcart.Send(c.State),
		Country:   fluentcart.Send(c.Country),
		Postcode:  fluentcart.Send(c.Postcode),
		Status:    fluentcart.Send(c.Status),
		Notes:     fluentcart.Send(&c.Notes),
		UserID:    fluentcart.Send(c.UserID),
		AOV:       fluentcart.Send(c.AOV),
	}
}
