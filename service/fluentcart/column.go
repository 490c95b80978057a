package fluentcart

import (
	"html"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// column is a column of a customer, and how its JSON is read. The store sends the same column sometimes as a number and
// sometimes as text, and an absent value in three ways (F14).
type column struct {
	name string
	// read sets the field of the customer. It returns a fault if the JSON is not the stored value for certain. It is strict
	// about columns that are written back, where a misread value would be lost, and tolerant about those that are only shown.
	read func(*Customer, jsontext.Value) fault
	// replaced says that a PUT overwrites the column: a merge must know all of these (F2).
	replaced bool
	// documented says that the documented response to a PUT has the column.
	documented bool
	// optional says that only some stores have the column. A read without it is merged.
	optional bool
	// onlyShown says that the column decides nothing: it is neither written nor compared.
	onlyShown bool
}

// columns are the columns of a customer. Others are skipped.
var columns = [...]column{
	integer("id", func(c *Customer, n *int64) { c.ID = valueOf(n) }),
	integer("user_id", func(c *Customer, n *int64) { c.UserID = n }).asReplaced(),
	text("email", func(c *Customer) *string { return &c.Email }).asDocumented(),
	text("first_name", func(c *Customer) *string { return &c.FirstName }).asDocumented(),
	text("last_name", func(c *Customer) *string { return &c.LastName }),
	nullable("city", func(c *Customer) **string { return &c.City }),
	nullable("state", func(c *Customer) **string { return &c.State }),
	nullable("country", func(c *Customer) **string { return &c.Country }),
	nullable("postcode", func(c *Customer) **string { return &c.Postcode }),
	nullable("status", func(c *Customer) **string { return &c.Status }),
	text("notes", func(c *Customer) *string { return &c.Notes }),
	decimal("aov", func(c *Customer) **string { return &c.AOV }),

	shown("contact_id", func(c *Customer, raw jsontext.Value) { c.ContactID = valueOf(shownInteger(raw)) }),
	shown("uuid", func(c *Customer, raw jsontext.Value) { c.UUID = shownText(raw) }),
	shown("ltv", func(c *Customer, raw jsontext.Value) { c.LTV = shownInteger(raw) }),
	shown("purchase_count", func(c *Customer, raw jsontext.Value) { c.PurchaseCount = shownInteger(raw) }),
	shown("purchase_value", func(c *Customer, raw jsontext.Value) { c.PurchaseValue = shownAmounts(raw) }),
	shown("first_purchase_date", func(c *Customer, raw jsontext.Value) { c.FirstPurchase = shownTime(raw) }),
	shown("last_purchase_date", func(c *Customer, raw jsontext.Value) { c.LastPurchase = shownTime(raw) }),
	shown("created_at", func(c *Customer, raw jsontext.Value) { c.CreatedAt = shownTime(raw) }),
	shown("updated_at", func(c *Customer, raw jsontext.Value) { c.UpdatedAt = shownTime(raw) }).asCompared(),
	shown("photo", func(c *Customer, raw jsontext.Value) { c.Photo = html.UnescapeString(shownText(raw)) }), // it is escaped (F14)
	shown("country_name", func(c *Customer, raw jsontext.Value) { c.CountryName = shownText(raw) }),
	shown("user_link", func(c *Customer, raw jsontext.Value) { c.UserLink = shownText(raw) }),
}

// columnsByName maps the name of a column, in quotes as in JSON, to its position in columns.
var columnsByName = func() map[string]int { //nolint:gochecknoglobals // as columns, from which it is made
	byName := map[string]int{}
	for i, c := range columns {
		byName[strconv.Quote(c.name)] = i
	}
	return byName
}()

// isWritten reports whether a PUT overwrites a column of this name.
func isWritten(name string) bool {
	i, ok := columnsByName[strconv.Quote(name)]
	return ok && (columns[i].replaced || columns[i].optional)
}

func isReplaced(c column) bool { return c.replaced }

func isDocumented(c column) bool { return c.documented }

func (c column) asReplaced() column {
	c.replaced = true
	return c
}

func (c column) asCompared() column {
	c.onlyShown = false
	return c
}

func (c column) asDocumented() column {
	c.documented = true
	return c
}

// nullable returns a text column that a PUT overwrites and that may be NULL.
func nullable(name string, field func(*Customer) **string) column {
	return column{name: name, replaced: true, read: func(c *Customer, raw jsontext.Value) fault {
		if raw.Kind() == 'n' {
			*field(c) = nil
			return noFault
		}
		shown, fault := readText(raw, valueOf(*field(c)))
		*field(c) = &shown
		return fault
	}}
}

// text returns a text column that a PUT overwrites and that is never NULL.
func text(name string, field func(*Customer) *string) column {
	return column{name: name, replaced: true, read: func(c *Customer, raw jsontext.Value) fault {
		if raw.Kind() == 'n' {
			*field(c) = ""
			return noFault
		}
		shown, fault := readText(raw, *field(c))
		*field(c) = shown
		return fault
	}}
}

// decimal returns a column of the database's type DECIMAL that a PUT overwrites.
func decimal(name string, field func(*Customer) **string) column {
	return column{name: name, replaced: true, read: func(c *Customer, raw jsontext.Value) fault {
		if raw.Kind() == 'n' {
			*field(c) = nil
			return noFault
		}
		shown, fault := readDecimal(raw)
		*field(c) = &shown
		return fault
	}}
}

// integer returns a column of integers. It is nil for null, for empty text, and for false.
func integer(name string, set func(*Customer, *int64)) column {
	return column{name: name, read: func(c *Customer, raw jsontext.Value) fault {
		n, fault := readInteger(raw)
		set(c, n)
		return fault
	}}
}

// valueOf returns what p points to, or the zero value for nil.
func valueOf[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// shown returns a column that is only shown. Any JSON is accepted; shown.go reads it.
func shown(name string, read func(*Customer, jsontext.Value)) column {
	return column{name: name, onlyShown: true, read: func(c *Customer, raw jsontext.Value) fault {
		read(c, raw)
		return noFault
	}}
}
