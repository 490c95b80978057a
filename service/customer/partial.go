package customer

import (
	"strings"
	"unicode/utf8"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// In write mode atomic the companion merges the change into the customer. It knows the rules of the merge that most updates
// need, and returns the customer, without writing, where a condition is not met. Then Merge decides, as in write mode merge.

// Partial returns what the companion shall merge, without an id. If the stored customer must be seen before anything can be
// sent, it asks for the customer only: the conditions of the Partial match no version. mayLink and mayStatus say whether the caller
// may change user_id and status.
func (c *Change) Partial(customer int64, requestedEtag string, mayLink, mayStatus bool) fluentcart.Partial {
	partial := fluentcart.Partial{CustomerID: customer, IfMatch: versionsIn(requestedEtag)}
	if c.needsStored() {
		partial.IfMatch = []string{}
		return partial
	}
	for id, f := range fields {
		if c.named[id] && f.set != nil {
			asked := fluentcart.Customer{}
			f.set(&asked, c.values[id])
			f.send(&partial.Set, &asked)
		}
	}
	c.sendNames(&partial.Set)
	if c.named[userID] && !mayLink {
		partial.Keep = append(partial.Keep, fields[userID].name)
	}
	if c.named[status] && !mayStatus {
		partial.Keep = append(partial.Keep, fields[status].name)
	}
	return partial
}

// needsStored reports whether only the stored customer shows what has to be written: where a value breaks a rule and may be the
// stored one, where names have more spaces than the store keeps, and where a part of the name may be too long for the whole.
func (c *Change) needsStored() bool {
	if len(c.unlessStored) > 0 {
		return true
	}
	for _, id := range []fieldID{fullName, firstName, lastName} {
		if text := c.values[id].text; c.named[id] && text != strings.Join(words(text), " ") {
			return true
		}
	}
	onePart := !c.named[fullName] && c.named[firstName] != c.named[lastName]
	part := max(utf8.RuneCountInString(c.values[firstName].text), utf8.RuneCountInString(c.values[lastName].text))
	return onePart && part > maxFullName-maxNamePart-1
}

// sendNames sends the names that the request names, and the part of the full name that follows from the other part. The
// companion splits a full name alone, as the store does (F11).
func (c *Change) sendNames(set *fluentcart.Update) {
	full, first, last := c.values[fullName].text, c.values[firstName].text, c.values[lastName].text
	hasFull, hasFirst, hasLast := c.named[fullName], c.named[firstName], c.named[lastName] || c.full && c.named[firstName]
	if hasFull {
		set.FullName = fluentcart.Send(&full)
		if hasFirst || c.named[lastName] {
			first, last, _ = c.mergeNames("", "") // the names were checked before
			hasFirst, hasLast = true, true
		}
	}
	if hasFirst {
		set.FirstName = fluentcart.Send(&first)
	}
	if hasLast {
		set.LastName = fluentcart.Send(&last)
	}
}

// Partial returns what the companion shall write if the customer still has the version.
func (m *Merged) Partial(version string) fluentcart.Partial {
	partial := fluentcart.Partial{CustomerID: m.CustomerID(), IfMatch: []string{version}}
	for i, f := range fields {
		id := fieldID(i)
		if f.send != nil && (f.get(&m.after) != f.get(m.before) || m.change.named[id] && isUncertain(m.before, id)) {
			f.send(&partial.Set, &m.after)
		}
	}
	if m.after.FirstName != m.before.FirstName || m.after.LastName != m.before.LastName {
		partial.Set.FirstName, partial.Set.LastName = fluentcart.Send(&m.after.FirstName), fluentcart.Send(&m.after.LastName)
		if full := m.change.values[fullName].text; m.change.named[fullName] {
			partial.Set.FullName = fluentcart.Send(&full)
		}
	}
	return partial
}

// Written returns the change as it was applied to a customer, for Response. It refuses nothing, because all of it was written.
func (c *Change) Written(before *fluentcart.Customer) *Merged { return c.onto(before) }

// AppliedEarlier returns the response to an update that was found to have been applied: by its cancellation, after its answer was
// lost. now is the customer as it is now, or nil if it cannot be read, or was deleted since.
func (c *Change) AppliedEarlier(id int64, now *fluentcart.Customer, changed []string) *customerv1.UpdateCustomerResponse {
	if now == nil {
		return c.unseen(messageUpdated, id, changed)
	}
	return c.writtenEarlier(now, changed).Response(now)
}

// Repeated returns the response to an update whose request_id was applied before: the customer as it is now, or its id only if it
// cannot be read, and what the update changed then. It has no warnings: other updates may have changed the customer since.
func (c *Change) Repeated(id int64, now *fluentcart.Customer, changed []string) *customerv1.UpdateCustomerResponse {
	if now == nil {
		return c.unseen(messageRepeated, id, changed)
	}
	response := c.writtenEarlier(now, changed).respond(messageRepeated, now)
	response.Warnings = nil
	return response
}

// unseen returns a response with the id of a customer that cannot be read.
func (c *Change) unseen(message string, id int64, changed []string) *customerv1.UpdateCustomerResponse {
	response := c.writtenEarlier(&fluentcart.Customer{ID: id}, changed).respond(message, &fluentcart.Customer{ID: id})
	response.Customer, response.Warnings = &customerv1.Customer{Id: id}, nil
	return response
}

// writtenEarlier is Written if it is only known which columns the write has changed, and what the customer is now.
func (c *Change) writtenEarlier(now *fluentcart.Customer, changed []string) *Merged {
	before := *now
	for _, column := range changed {
		switch id, ok := fieldNamed(column); {
		case id == firstName:
			before.FirstName = otherText
		case id == lastName:
			before.LastName = otherText
		case ok && id != fullName:
			fields[id].set(&before, value{text: otherText, number: otherNumber})
		}
	}
	return c.onto(&before)
}

// Values that no column holds: the store removes the character, and has no user of this id.
const (
	otherText   = "\x00"
	otherNumber = -1
)
