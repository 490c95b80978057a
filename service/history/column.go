package history

import (
	"encoding/json"
	"slices"
	"strconv"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// readOnly lists the columns of a row that no PUT changes, and updated_at, which every PUT changes. A PUT replaces all
// other columns (F2).
var readOnly = []string{
	"id", "contact_id", "uuid", "purchase_value", "purchase_count", "ltv", "first_purchase_date", "last_purchase_date", "created_at", "updated_at",
}

// columns returns the columns that a PUT can change, as text. NULL and empty text are the same: the store answers either
// for an absent value (F14).
func columns(row sandbox.Row) map[string]string {
	encoded, _ := json.Marshal(row) // a row has only types that JSON has
	var values map[string]any
	_ = json.Unmarshal(encoded, &values) // it has just been encoded
	texts := map[string]string{}
	for name, v := range values {
		if slices.Contains(readOnly, name) {
			continue
		}
		switch v := v.(type) {
		case string:
			texts[name] = v
		case float64:
			texts[name] = strconv.FormatFloat(v, 'f', -1, 64)
		default:
			texts[name] = ""
		}
	}
	return texts
}

// mayChange reports whether a call with these fields may change the column. The store keeps a full name in two columns.
func mayChange(fields map[string]string, column string) bool {
	if _, ok := fields[column]; ok {
		return true
	}
	_, ok := fields["full_name"]
	return ok && (column == "first_name" || column == "last_name")
}
