package service

import (
	"slices"
	"strconv"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// field is a writable field of Customer. Values are compared as text: NULL, absent and empty are the same to a
// caller, and so are the user_id 0 and none (F14).
type field struct {
	name string // in the contract and in FluentCart alike
	get  func(*fluentcart.Customer) string
	set  func(*fluentcart.Customer, string)
}

// fields are the writable fields in the order of the contract. full_name is made of the other two names, and has
// no column of its own.
var fields = []field{
	{"email", func(c *fluentcart.Customer) string { return c.Email }, func(c *fluentcart.Customer, v string) { c.Email = v }},
	{"full_name", func(c *fluentcart.Customer) string { return joinName(c.FirstName, c.LastName) }, nil},
	{"first_name", func(c *fluentcart.Customer) string { return c.FirstName }, nil},
	{"last_name", func(c *fluentcart.Customer) string { return c.LastName }, nil},
	{"city", func(c *fluentcart.Customer) string { return valueOf(c.City) }, func(c *fluentcart.Customer, v string) { c.City = &v }},
	{"state", func(c *fluentcart.Customer) string { return valueOf(c.State) }, func(c *fluentcart.Customer, v string) { c.State = &v }},
	{"country", func(c *fluentcart.Customer) string { return valueOf(c.Country) }, setCountry},
	{"postcode", func(c *fluentcart.Customer) string { return valueOf(c.Postcode) }, func(c *fluentcart.Customer, v string) { c.Postcode = &v }},
	{"status", func(c *fluentcart.Customer) string { return valueOf(c.Status) }, func(c *fluentcart.Customer, v string) { c.Status = &v }},
	{"notes", func(c *fluentcart.Customer) string { return c.Notes }, func(c *fluentcart.Customer, v string) { c.Notes = v }},
	{"user_id", func(c *fluentcart.Customer) string { return strconv.FormatInt(valueOf(c.UserID), 10) }, setUserID},
}

// isField reports whether a name is that of a writable field.
func isField(name string) bool {
	return slices.ContainsFunc(fields, func(f field) bool { return f.name == name })
}

// isName reports whether a field is one of the three names, which are merged together.
func isName(name string) bool {
	return name == "full_name" || name == "first_name" || name == "last_name"
}

// setCountry also clears the country's name, which only the store knows.
func setCountry(c *fluentcart.Customer, v string) { c.Country, c.CountryName = &v, "" }

// setUserID also clears the link to the user, which only the store knows.
func setUserID(c *fluentcart.Customer, v string) {
	id, err := strconv.ParseInt(v, 10, 64)
	if err != nil {
		panic("user_id of an int64 field is not an int64")
	}
	c.UserID, c.UserLink = &id, ""
}

// valueOf returns what p points to, or the zero value for nil.
func valueOf[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
