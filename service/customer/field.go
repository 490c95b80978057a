package customer

import (
	"slices"
	"strings"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// fieldID numbers the writable fields in the order of the contract.
type fieldID int

const (
	email fieldID = iota
	fullName
	firstName
	lastName
	city
	state
	country
	postcode
	status
	notes
	userID
	fieldCount
)

// value is what a field holds: a text, or a number for user_id. To a caller NULL, absent and empty are the same, and so
// are user_id 0 and none (F14).
type value struct {
	text   string
	number int64
}

// field is a writable field: where it stands in a request, in the store's row, and in the body of a PUT.
type field struct {
	name     string // in the contract and in FluentCart alike
	optional bool   // only some stores have the column
	width    int    // of the column, in characters (F9); 0 if sanitizing makes no text longer than the column

	read func(*customerv1.Customer) (value, bool) // false if the request does not have the field
	show func(*customerv1.Customer, value)
	get  func(*fluentcart.Customer) value
	set  func(*fluentcart.Customer, value)              // nil for the three names, which are merged together
	send func(*fluentcart.Update, *fluentcart.Customer) // nil for full_name, which has no column
}

// Accessors of a text field in a request, and in the body of a PUT.
type (
	inRequest func(*customerv1.Customer) **string
	inBody    func(*fluentcart.Update) *fluentcart.Value[string]
)

// fields are the writable fields. A new one needs a row here, a column in fluentcart.Customer and fluentcart.Update, and
// a field in the contract.
var fields = [fieldCount]field{
	email: notNull("email",
		func(c *customerv1.Customer) **string { return &c.Email },
		func(c *fluentcart.Customer) *string { return &c.Email },
		func(u *fluentcart.Update) *fluentcart.Value[string] { return &u.Email }),
	fullName: text("full_name",
		func(c *customerv1.Customer) **string { return &c.FullName },
		func(c *fluentcart.Customer) string { return joinName(c.FirstName, c.LastName) }),
	firstName: namePart("first_name",
		func(c *customerv1.Customer) **string { return &c.FirstName },
		func(c *fluentcart.Customer) *string { return &c.FirstName },
		func(u *fluentcart.Update) *fluentcart.Value[string] { return &u.FirstName }),
	lastName: namePart("last_name",
		func(c *customerv1.Customer) **string { return &c.LastName },
		func(c *fluentcart.Customer) *string { return &c.LastName },
		func(u *fluentcart.Update) *fluentcart.Value[string] { return &u.LastName }),
	city: nullable("city",
		func(c *customerv1.Customer) **string { return &c.City },
		func(c *fluentcart.Customer) **string { return &c.City },
		func(u *fluentcart.Update) *fluentcart.Value[string] { return &u.City }),
	state: nullable("state",
		func(c *customerv1.Customer) **string { return &c.State },
		func(c *fluentcart.Customer) **string { return &c.State },
		func(u *fluentcart.Update) *fluentcart.Value[string] { return &u.State }),
	country: nullable("country",
		func(c *customerv1.Customer) **string { return &c.Country },
		func(c *fluentcart.Customer) **string { return &c.Country },
		func(u *fluentcart.Update) *fluentcart.Value[string] { return &u.Country },
	).clearing(func(c *fluentcart.Customer) { c.CountryName = "" }),
	postcode: nullable("postcode",
		func(c *customerv1.Customer) **string { return &c.Postcode },
		func(c *fluentcart.Customer) **string { return &c.Postcode },
		func(u *fluentcart.Update) *fluentcart.Value[string] { return &u.Postcode }),
	status: nullable("status",
		func(c *customerv1.Customer) **string { return &c.Status },
		func(c *fluentcart.Customer) **string { return &c.Status },
		func(u *fluentcart.Update) *fluentcart.Value[string] { return &u.Status }),
	notes: notNull("notes",
		func(c *customerv1.Customer) **string { return &c.Notes },
		func(c *fluentcart.Customer) *string { return &c.Notes },
		func(u *fluentcart.Update) *fluentcart.Value[string] { return &u.Notes }),
	userID: {
		name: "user_id",
		read: func(c *customerv1.Customer) (value, bool) {
			return value{number: c.GetUserId()}, c != nil && c.UserId != nil
		},
		show: func(c *customerv1.Customer, v value) { c.UserId = &v.number },
		get:  func(c *fluentcart.Customer) value { return value{number: valueOf(c.UserID)} },
		set:  func(c *fluentcart.Customer, v value) { c.UserID, c.UserLink = &v.number, "" },
		send: func(u *fluentcart.Update, c *fluentcart.Customer) { u.UserID = fluentcart.Send(c.UserID) },
	},
}

// text returns a text field without a column of its own. The functions below add one.
func text(name string, request inRequest, get func(*fluentcart.Customer) string) field {
	return field{
		name: name,
		read: func(c *customerv1.Customer) (value, bool) {
			if c == nil || *request(c) == nil {
				return value{}, false
			}
			return value{text: **request(c)}, true
		},
		show: func(c *customerv1.Customer, v value) { *request(c) = &v.text },
		get:  func(c *fluentcart.Customer) value { return value{text: get(c)} },
	}
}

// namePart returns a text field whose column is set by the merge of the names.
func namePart(name string, request inRequest, column func(*fluentcart.Customer) *string, body inBody) field {
	f := text(name, request, func(c *fluentcart.Customer) string { return *column(c) })
	f.send = func(u *fluentcart.Update, c *fluentcart.Customer) { *body(u) = fluentcart.Send(column(c)) }
	return f
}

// notNull returns a text field whose column is never NULL.
func notNull(name string, request inRequest, column func(*fluentcart.Customer) *string, body inBody) field {
	f := namePart(name, request, column, body)
	f.set = func(c *fluentcart.Customer, v value) { *column(c) = v.text }
	return f
}

// shortColumn is the width of the columns that may be NULL (F9).
const shortColumn = 45

// nullable returns a text field whose column may be NULL.
func nullable(name string, request inRequest, column func(*fluentcart.Customer) **string, body inBody) field {
	f := text(name, request, func(c *fluentcart.Customer) string { return valueOf(*column(c)) })
	f.set = func(c *fluentcart.Customer, v value) { *column(c) = &v.text }
	f.send = func(u *fluentcart.Update, c *fluentcart.Customer) { *body(u) = fluentcart.Send(*column(c)) }
	f.width = shortColumn
	return f
}

// optional returns a nullable text field whose column only some stores have. A read without the column is merged all the
// same: the PUT holds the field only if the read showed a value or the request names one. A NULL that is left out of the
// PUT stays NULL (F2).
func optional(name string, request inRequest, column func(*fluentcart.Customer) **string, body inBody) field {
	f := nullable(name, request, column, body)
	f.optional = true
	send := f.send
	f.send = func(u *fluentcart.Update, c *fluentcart.Customer) {
		if *column(c) != nil {
			send(u, c)
		}
	}
	return f
}

// clearing returns the field with a setter that also clears what only the store can derive from the value.
func (f field) clearing(derived func(*fluentcart.Customer)) field {
	set := f.set
	f.set = func(c *fluentcart.Customer, v value) {
		set(c, v)
		derived(c)
	}
	return f
}

// isName reports whether a field is one of the three names, which are merged together.
func (id fieldID) isName() bool { return id == fullName || id == firstName || id == lastName }

// fieldNamed returns the writable field of a name.
func fieldNamed(name string) (fieldID, bool) {
	i := slices.IndexFunc(fields[:], func(f field) bool { return f.name == name })
	return fieldID(i), i >= 0
}

// WritableFields lists the names of the writable fields in the order of the contract, for error texts.
func WritableFields() string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.name
	}
	return strings.Join(names, ", ")
}

// OutputOnly reports whether the contract marks a field OUTPUT_ONLY: it is in responses, and ignored in requests.
func OutputOnly(descriptor protoreflect.FieldDescriptor) bool {
	behaviors, _ := proto.GetExtension(descriptor.Options(), annotations.E_FieldBehavior).([]annotations.FieldBehavior)
	return slices.Contains(behaviors, annotations.FieldBehavior_OUTPUT_ONLY)
}

// valueOf returns what p points to, or the zero value for nil.
func valueOf[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
