package fluentcart

import "time"

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
	AOV *string
	// LTV is in cents. It and PurchaseCount are nil if the store returns none, or one that is not an integer.
	LTV, PurchaseCount *int64
	PurchaseValue      map[string]int64 // cents by currency

	// Times are UTC, in whole seconds and in the years 1 to 9999; the zero time is none.
	FirstPurchase, LastPurchase, CreatedAt, UpdatedAt time.Time

	Photo       string
	CountryName string
	UserLink    string

	// Uncertain lists the columns that a PUT overwrites and whose stored value the response does not show for certain.
	// Writing back what it shows could change them.
	Uncertain []UncertainColumn
}

// UncertainColumn is a column whose stored value the response does not show for certain.
type UncertainColumn struct {
	Name string
	// ShownAs says what the response shows in place of the value, such as "a number". It never holds the value.
	ShownAs string
}
