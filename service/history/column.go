package history

import (
	"strconv"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// column is a column that a PUT can change, as text. NULL and empty text are the same: the store answers either for an
// absent value (F14).
type column struct {
	name string
	of   func(sandbox.Row) string
}

// columns are all columns that a PUT replaces (F2).
var columns = []column{
	{"city", func(r sandbox.Row) string { return text(r.City) }},
	{"state", func(r sandbox.Row) string { return text(r.State) }},
	{"country", func(r sandbox.Row) string { return text(r.Country) }},
	{"postcode", func(r sandbox.Row) string { return text(r.Postcode) }},
	{"status", func(r sandbox.Row) string { return text(r.Status) }},
	{"notes", func(r sandbox.Row) string { return r.Notes }},
	{"email", func(r sandbox.Row) string { return r.Email }},
	{"first_name", func(r sandbox.Row) string { return r.FirstName }},
	{"last_name", func(r sandbox.Row) string { return r.LastName }},
	{"user_id", func(r sandbox.Row) string {
		if r.UserID == nil {
			return ""
		}
		return strconv.FormatInt(*r.UserID, 10)
	}},
	{"aov", func(r sandbox.Row) string {
		if r.AOV == nil {
			return ""
		}
		return strconv.FormatFloat(*r.AOV, 'f', 2, 64)
	}},
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// mayChange reports whether a call with these fields may change the column. The store keeps a full name in two columns.
func mayChange(fields map[string]string, column string) bool {
	if _, ok := fields[column]; ok {
		return true
	}
	_, ok := fields["full_name"]
	return ok && (column == "first_name" || column == "last_name")
}
