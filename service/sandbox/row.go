package sandbox

import (
	"bytes"
	"cmp"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Row is a customer's database row. A nil pointer is NULL, and so is a PurchaseValue that is nil or null.
type Row struct {
	ID                int64           `json:"id"`
	UserID            *int64          `json:"user_id"`
	ContactID         int64           `json:"contact_id"`
	Email             string          `json:"email"`
	FirstName         string          `json:"first_name"`
	LastName          string          `json:"last_name"`
	Status            *string         `json:"status"`
	PurchaseValue     json.RawMessage `json:"purchase_value"` // purchases in cents by currency: {"USD":24900}
	PurchaseCount     int64           `json:"purchase_count"`
	LTV               int64           `json:"ltv"` // lifetime value in cents
	FirstPurchaseDate *string         `json:"first_purchase_date"`
	LastPurchaseDate  *string         `json:"last_purchase_date"`
	AOV               *float64        `json:"aov"` // average order value in cents, with two decimals
	Notes             string          `json:"notes"`
	UUID              string          `json:"uuid"`
	Country           *string         `json:"country"`
	City              *string         `json:"city"`
	State             *string         `json:"state"`
	Postcode          *string         `json:"postcode"`
	CreatedAt         time.Time       `json:"created_at"`
	UpdatedAt         time.Time       `json:"updated_at"`
}

// textFields are the fields that the store passes to text functions. It casts or ignores the others (F16).
var textFields = []string{
	"email", "full_name", "first_name", "last_name", "city", "state", "country", "postcode", "status", "notes", "aov",
	"user_url",
}

// columnFields are the fields that a PUT writes into columns of the row.
var columnFields = []string{
	"email", "full_name", "first_name", "last_name", "city", "state", "country", "postcode", "status", "notes", "aov",
	"user_id",
}

// replace returns the row with every writable column set from the fields. A field that is left out clears its column (F2, F4).
// Read-only fields, the body's id among them, are ignored (F16).
func (s *Store) replace(row Row, p values) Row {
	first, last := s.names(p)
	row.FirstName = truncate(first, nameColumn)
	row.LastName = truncate(last, nameColumn)
	row.Email = truncate(sanitize(stringOrEmpty(p.text("email"))), nameColumn)
	row.UserID = p.integer("user_id")
	row.AOV = decimal(p.text("aov"))
	row.Notes = sanitize(stringOrEmpty(p.text("notes")))
	row.Status = truncateShort(sanitizePtr(p.text("status")))
	row.Country = truncateShort(sanitizePtr(p.text("country")))
	row.City = truncateShort(sanitizePtr(p.text("city")))
	row.State = truncateShort(sanitizePtr(p.text("state")))
	row.Postcode = truncateShort(sanitizePtr(p.text("postcode")))
	return row
}

// Row returns a copy of the customer's database row.
func (s *Store) Row(id int64) (Row, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	row, ok := s.customers[id]
	return row.clone(), ok
}

// Rows returns copies of all rows, in the order of their ids.
func (s *Store) Rows() []Row {
	s.mu.RLock()
	defer s.mu.RUnlock()
	rows := make([]Row, 0, len(s.customers))
	for _, row := range s.customers {
		rows = append(rows, row.clone())
	}
	slices.SortFunc(rows, func(a, b Row) int { return cmp.Compare(a.ID, b.ID) })
	return rows
}

// clone returns a copy that shares nothing with r. Callers might write through a row's pointers; the store itself never does,
// so it makes no clones for its own use.
func (r Row) clone() Row {
	r.UserID = clonePtr(r.UserID)
	r.Status = clonePtr(r.Status)
	r.PurchaseValue = bytes.Clone(r.PurchaseValue)
	r.FirstPurchaseDate = clonePtr(r.FirstPurchaseDate)
	r.LastPurchaseDate = clonePtr(r.LastPurchaseDate)
	r.AOV = clonePtr(r.AOV)
	r.Country = clonePtr(r.Country)
	r.City = clonePtr(r.City)
	r.State = clonePtr(r.State)
	r.Postcode = clonePtr(r.Postcode)
	return r
}

// isLinked reports whether the customer is linked to a WordPress user; 0 and NULL both mean no.
func (r Row) isLinked() bool {
	return r.UserID != nil && *r.UserID != 0
}

// userIDText returns the user_id as text; nil is NULL.
func (r Row) userIDText() *string {
	if r.UserID == nil {
		return nil
	}
	return new(strconv.FormatInt(*r.UserID, 10))
}

// decimalAOV returns the aov as the text of a decimal; nil is NULL.
func (r Row) decimalAOV() *string {
	if r.AOV == nil {
		return nil
	}
	return new(strconv.FormatFloat(*r.AOV, 'f', 2, 64))
}

func clonePtr[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}

// The widths of the text columns, in characters. The database silently truncates longer text (F9).
const (
	shortColumn = 45  // city state country postcode status
	nameColumn  = 192 // first_name last_name email
)

// truncate returns the first limit characters of s; characters, not bytes.
func truncate(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	n := 0
	for i := range s {
		if n == limit {
			return s[:i]
		}
		n++
	}
	return s
}

// truncateShort truncates text at the width of a short column; NULL stays NULL.
func truncateShort(s *string) *string {
	if s == nil {
		return nil
	}
	c := truncate(*s, shortColumn)
	return &c
}

// decimal returns the value that a DECIMAL(n,2) column stores for s. Strict mode is off in WordPress's database sessions, so
// text that is not a number becomes 0 instead of an error.
func decimal(s *string) *float64 {
	if s == nil {
		return nil
	}
	v, err := strconv.ParseFloat(strings.TrimSpace(*s), 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		v = 0
	}
	v = math.Round(v*100) / 100
	return &v
}
