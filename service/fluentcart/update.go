package fluentcart

import (
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// Update is what a PUT writes. A field that is not set is left out, and the store clears it (F2).
type Update struct {
	Email     Value[string]
	FullName  Value[string]
	FirstName Value[string]
	LastName  Value[string]
	City      Value[string]
	State     Value[string]
	Country   Value[string]
	Postcode  Value[string]
	Status    Value[string]
	Notes     Value[string]
	UserID    Value[int64]
	AOV       Value[string]
}

// Value is a field of an Update: not sent, sent as null, or sent with a value. The zero Value is not sent.
type Value[T any] struct {
	sent    bool
	pointer *T
}

// Send returns a Value that is sent: as null for a nil pointer, else as the value it points to.
func Send[T any](value *T) Value[T] { return Value[T]{sent: true, pointer: value} }

// IsZero reports whether the value is not sent.
func (v Value[T]) IsZero() bool { return !v.sent }

// body returns the JSON of a PUT for the customer with the id.
func (u *Update) body(id int64) []byte {
	return append(u.appendMembers(strconv.AppendInt([]byte(`{"id":`), id, 10)), '}')
}

// appendMembers appends the fields that are sent, with a comma before each.
func (u *Update) appendMembers(out []byte) []byte {
	out = appendText(out, "email", u.Email)
	out = appendText(out, "full_name", u.FullName)
	out = appendText(out, "first_name", u.FirstName)
	out = appendText(out, "last_name", u.LastName)
	out = appendText(out, "city", u.City)
	out = appendText(out, "state", u.State)
	out = appendText(out, "country", u.Country)
	out = appendText(out, "postcode", u.Postcode)
	out = appendText(out, "status", u.Status)
	out = appendText(out, "notes", u.Notes)
	out = appendMember(out, "user_id", u.UserID, func(out []byte, n int64) []byte { return strconv.AppendInt(out, n, 10) })
	return appendText(out, "aov", u.AOV)
}

func appendText(out []byte, name string, v Value[string]) []byte {
	return appendMember(out, name, v, func(out []byte, s string) []byte {
		out, _ = jsontext.AppendQuote(out, s) // its error is about UTF-8 that it has replaced
		return out
	})
}

// appendMember appends the name and the value if the value is sent.
func appendMember[T any](out []byte, name string, v Value[T], appendValue func([]byte, T) []byte) []byte {
	if !v.sent {
		return out
	}
	out = append(out, `,"`...)
	out = append(out, name...)
	out = append(out, `":`...)
	if v.pointer == nil {
		return append(out, "null"...)
	}
	return appendValue(out, *v.pointer)
}
