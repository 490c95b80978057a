package customer

import (
	"fmt"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// Merged is a customer with a change applied: what is written, and what the store is expected to show afterwards.
type Merged struct {
	change *Change
	before *fluentcart.Customer // as it was read; nil in write mode replace, where nothing is read
	after  fluentcart.Customer
}

// Merge applies the change to the customer that was read. A NULL that is not changed stays NULL. It returns an error for
//
//   - a value that breaks a rule and is not the stored one;
//   - an e-mail that the store would ignore (F7), and a customer that would have none (F32);
//   - names that do not fit the stored ones;
//   - a column that cannot be written back as it is stored (F14).
func (c *Change) Merge(before *fluentcart.Customer) (*Merged, error) {
	if violations := c.unexcused(before); len(violations) > 0 {
		return nil, apierror.Invalid(violations...)
	}
	linked := valueOf(before.UserID)
	if linked > 0 && before.Email != "" && c.named[email] && c.values[email].text != before.Email {
		description := fmt.Sprintf("the customer is linked to WordPress user %d, whose e-mail the store keeps; change it in that user's WordPress profile, or leave email out", linked)
		return nil, apierror.New(apierror.EmailOwned, apierror.NotSent, "email: "+description, precondition("EMAIL_OWNER", before.ID, description))
	}
	m := c.onto(before)
	if c.namesAnyName() && !c.keepsNames(before) {
		if err := m.checkNames(); err != nil {
			return nil, err
		}
	}
	if m.after.Email == "" && m.Differs() {
		return nil, apierror.Invalid(apierror.Violation{Field: "email", Description: "the stored customer has no e-mail address, and the store requires one: give email with the update"})
	}
	return m, m.checkCertain()
}

// onto returns a customer with the change applied, without any check.
func (c *Change) onto(before *fluentcart.Customer) *Merged {
	m := &Merged{change: c, before: before, after: *before}
	c.setColumns(&m.after)
	if c.namesAnyName() && !c.keepsNames(before) {
		m.after.FirstName, m.after.LastName, _ = c.mergeNames(before.FirstName, before.LastName)
	}
	return m
}

// checkNames checks the names that were merged.
func (m *Merged) checkNames() error {
	c := m.change
	first, last, problem := c.mergeNames(m.before.FirstName, m.before.LastName)
	if problem != "" {
		return apierror.Invalid(apierror.Violation{Field: "full_name", Description: problem})
	}
	if violations := c.checkNameLengths(first, last); len(violations) > 0 {
		return apierror.Invalid(violations...)
	}
	if first == "" {
		return apierror.Invalid(apierror.Violation{Field: "first_name", Description: "the stored customer has no first name, and the store requires one; give full_name, or first_name and last_name"})
	}
	return nil
}

// setColumns puts the named values into a customer, except the three names.
func (c *Change) setColumns(customer *fluentcart.Customer) {
	for id, f := range fields {
		if c.named[id] && f.set != nil && c.values[id] != f.get(customer) {
			f.set(customer, c.values[id])
		}
	}
}

// ChangesLink reports whether the request asks for another user_id than the stored one.
func (m *Merged) ChangesLink() bool { return m.changes(userID) }

// ChangesStatus reports whether the request asks for another status than the stored one.
func (m *Merged) ChangesStatus() bool { return m.changes(status) }

func (m *Merged) changes(id fieldID) bool {
	return m.change.named[id] && (m.change.values[id] != fields[id].get(m.before) || isUncertain(m.before, id))
}

// LinkedUser returns the stored user_id; 0 is none.
func (m *Merged) LinkedUser() int64 { return valueOf(m.before.UserID) }

// WasRead reports whether the customer was read before the write, so that the write can be verified by reading again.
func (m *Merged) WasRead() bool { return m.before != nil }

// Expected returns the customer as the store is expected to keep it.
func (m *Merged) Expected() fluentcart.Customer { return m.after }

// CustomerID returns the customer's id.
func (m *Merged) CustomerID() int64 { return m.after.ID }

// asked returns the value that a field shall have: that in the request, or else the one that was merged.
func (m *Merged) asked(id fieldID) value {
	if m.change.named[id] {
		return m.change.values[id]
	}
	return fields[id].get(&m.after)
}

// Differs reports whether the write would change anything. A name that differs by outer spaces only is no change, because
// the store trims names (F10). A column that the request replaces counts as a change if the read does not show its stored
// value for certain.
func (m *Merged) Differs() bool {
	for _, f := range fields {
		if f.get(&m.after) != f.get(m.before) {
			return true
		}
	}
	for _, column := range m.before.Uncertain {
		if m.change.replaces(column.Name) {
			return true
		}
	}
	return false
}

// Body returns the body of the PUT. After a read it holds every column that the store would clear otherwise (F2, F4);
// in write mode replace it holds only what the request names. All three names are sent, so that both kinds of store
// find theirs (F11).
func (m *Merged) Body() fluentcart.Update {
	var body fluentcart.Update
	for id, f := range fields {
		if f.send != nil && m.sends(fieldID(id)) {
			f.send(&body, &m.after)
		}
	}
	if m.sends(fullName) {
		full := joinName(m.after.FirstName, m.after.LastName)
		if m.change.named[fullName] {
			full = m.change.values[fullName].text
		}
		body.FullName = fluentcart.Send(&full)
	}
	if m.before != nil {
		body.AOV = fluentcart.Send(m.after.AOV)
	}
	return body
}

// sends reports whether the body of the PUT holds a field.
func (m *Merged) sends(id fieldID) bool {
	c := m.change
	switch {
	case m.before != nil || c.named[id]:
		return true
	case id == fullName:
		return c.named[firstName]
	case id == firstName || id == lastName:
		return c.named[fullName]
	}
	return false
}
