package fluentcart

import (
	"encoding/json"
	"time"
)

// Customer is a customer as the store returns it. A nil pointer is the store's NULL.
type Customer struct {
	ID        int64
	UserID    *int64 // the linked WordPress user; nil and 0 both mean none
	ContactID int64
	UUID      string

	Email     string
	FirstName string
	LastName  string
	City      *string
	State     *string
	Country   *string
	Postcode  *string
	Status    *string
	Notes     string

	// AOV is the average order value in cents, as the store writes it, such as 8300.00.
	AOV           *string
	LTV           int64 // cents
	PurchaseCount int64
	PurchaseValue map[string]int64 // cents by currency

	// Times are UTC; the zero time is none.
	FirstPurchase, LastPurchase, CreatedAt, UpdatedAt time.Time

	Photo       string
	CountryName string
	UserLink    string
}

// replaced lists the columns that a PUT overwrites: a merge must know all of them (F2).
var replaced = []string{
	"email", "first_name", "last_name", "city", "state", "country", "postcode", "status", "notes", "user_id", "aov",
}

// optional lists the columns that a PUT overwrites and that only some stores have. A read without them is merged.
var optional = []string{}

// Update is what a PUT writes. A field that is not set is left out, and the store clears it (F2).
type Update struct {
	Email     Value[string] `json:"email,omitzero"`
	FullName  Value[string] `json:"full_name,omitzero"`
	FirstName Value[string] `json:"first_name,omitzero"`
	LastName  Value[string] `json:"last_name,omitzero"`
	City      Value[string] `json:"city,omitzero"`
	State     Value[string] `json:"state,omitzero"`
	Country   Value[string] `json:"country,omitzero"`
	Postcode  Value[string] `json:"postcode,omitzero"`
	Status    Value[string] `json:"status,omitzero"`
	Notes     Value[string] `json:"notes,omitzero"`
	UserID    Value[int64]  `json:"user_id,omitzero"`
	AOV       Value[string] `json:"aov,omitzero"`
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

// MarshalJSON writes null or the value.
func (v Value[T]) MarshalJSON() ([]byte, error) { return json.Marshal(v.pointer) }
