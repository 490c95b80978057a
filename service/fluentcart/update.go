package fluentcart

import "encoding/json"

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
