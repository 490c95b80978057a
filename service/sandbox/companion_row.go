package sandbox

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"time"
)

// versionBytes is how much of its hash a version has.
const versionBytes = 16

// Version returns the version that the companion gives a row. It differs between rows with different values in the
// changeable columns, and changes with updated_at.
func Version(r Row) string {
	var content []byte
	for _, name := range textColumns {
		text := r.column(name)
		content = strconv.AppendInt(content, int64(len(text)), 10)
		content = append(content, ':')
		content = append(content, text...)
		content = append(content, '\n')
	}
	content = append(content, r.column("user_id")...)
	content = append(content, '\n')
	if !r.UpdatedAt.IsZero() {
		content = strconv.AppendInt(content, r.UpdatedAt.Unix(), 10)
	}
	hash := sha256.Sum256(content)
	return base64.RawURLEncoding.EncodeToString(hash[:versionBytes])
}

// raw returns all columns of the row as the database gives them to PHP: text, or nil for NULL.
func (r Row) raw() map[string]*string {
	number := func(n int64) *string { return new(strconv.FormatInt(n, 10)) }
	columns := map[string]*string{
		"id":                  number(r.ID),
		"user_id":             nil,
		"contact_id":          number(r.ContactID),
		"purchase_value":      nil,
		"purchase_count":      number(r.PurchaseCount),
		"ltv":                 number(r.LTV),
		"first_purchase_date": r.FirstPurchaseDate,
		"last_purchase_date":  r.LastPurchaseDate,
		"aov":                 nil,
		"uuid":                &r.UUID,
		"created_at":          new(r.CreatedAt.UTC().Format(time.DateTime)),
		"updated_at":          new(r.UpdatedAt.UTC().Format(time.DateTime)),
	}
	for _, name := range textColumns {
		columns[name] = r.text(name)
	}
	if r.UserID != nil {
		columns["user_id"] = number(*r.UserID)
	}
	if r.AOV != nil {
		columns["aov"] = new(strconv.FormatFloat(*r.AOV, 'f', 2, 64))
	}
	var purchases bytes.Buffer
	if err := json.Compact(&purchases, r.PurchaseValue); err == nil && purchases.String() != "null" {
		columns["purchase_value"] = new(purchases.String())
	}
	return columns
}
