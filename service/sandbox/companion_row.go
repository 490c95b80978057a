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
		text, _ := r.column(name)
		content = strconv.AppendInt(content, int64(len(text)), 10)
		content = append(content, ':')
		content = append(content, text...)
		content = append(content, '\n')
	}
	user, _ := r.column("user_id")
	content = append(content, user...)
	content = append(content, '\n')
	if !r.UpdatedAt.IsZero() {
		content = strconv.AppendInt(content, r.UpdatedAt.Unix(), 10)
	}
	hash := sha256.Sum256(content)
	return base64.RawURLEncoding.EncodeToString(hash[:versionBytes])
}

// rawRow is all columns of a row as the database gives them to PHP: text, or nil for NULL.
type rawRow struct {
	ID                string  `json:"id"`
	UserID            *string `json:"user_id"`
	ContactID         string  `json:"contact_id"`
	Email             string  `json:"email"`
	FirstName         string  `json:"first_name"`
	LastName          string  `json:"last_name"`
	Status            *string `json:"status"`
	PurchaseValue     *string `json:"purchase_value"` // JSON
	PurchaseCount     string  `json:"purchase_count"`
	LTV               string  `json:"ltv"`
	FirstPurchaseDate *string `json:"first_purchase_date"`
	LastPurchaseDate  *string `json:"last_purchase_date"`
	AOV               *string `json:"aov"`
	Notes             string  `json:"notes"`
	UUID              string  `json:"uuid"`
	Country           *string `json:"country"`
	City              *string `json:"city"`
	State             *string `json:"state"`
	Postcode          *string `json:"postcode"`
	CreatedAt         string  `json:"created_at"`
	UpdatedAt         string  `json:"updated_at"`
}

func (r Row) raw() *rawRow {
	raw := &rawRow{
		ID:                strconv.FormatInt(r.ID, 10),
		UserID:            r.userIDText(),
		ContactID:         strconv.FormatInt(r.ContactID, 10),
		Email:             r.Email,
		FirstName:         r.FirstName,
		LastName:          r.LastName,
		Status:            r.Status,
		PurchaseCount:     strconv.FormatInt(r.PurchaseCount, 10),
		LTV:               strconv.FormatInt(r.LTV, 10),
		FirstPurchaseDate: r.FirstPurchaseDate,
		LastPurchaseDate:  r.LastPurchaseDate,
		AOV:               r.decimalAOV(),
		Notes:             r.Notes,
		UUID:              r.UUID,
		Country:           r.Country,
		City:              r.City,
		State:             r.State,
		Postcode:          r.Postcode,
		CreatedAt:         r.CreatedAt.UTC().Format(time.DateTime),
		UpdatedAt:         r.UpdatedAt.UTC().Format(time.DateTime),
	}
	var purchases bytes.Buffer
	if err := json.Compact(&purchases, r.PurchaseValue); err == nil && purchases.String() != "null" {
		raw.PurchaseValue = new(purchases.String())
	}
	return raw
}
