package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
)

// gravatar returns the URL of the picture, escaped for HTML as WordPress sends it (F14).
func gravatar(email string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(strings.TrimSpace(email))))
	return "https://secure.gravatar.com/avatar/" + hex.EncodeToString(sum[:]) + "?s=100&#038;d=mm&#038;r=g"
}

// customerJSON is a customer as the store sends it: the types and the order of the keys are the store's (F14).
type customerJSON struct {
	ID                int64           `json:"id"`
	UserID            *string         `json:"user_id"`
	ContactID         int64           `json:"contact_id,string"`
	Email             string          `json:"email"`
	FirstName         string          `json:"first_name"`
	LastName          string          `json:"last_name"`
	Status            *string         `json:"status"`
	PurchaseValue     json.RawMessage `json:"purchase_value"`
	PurchaseCount     int64           `json:"purchase_count,string"`
	LTV               int64           `json:"ltv,string"`
	FirstPurchaseDate *string         `json:"first_purchase_date"`
	LastPurchaseDate  *string         `json:"last_purchase_date"`
	AOV               *string         `json:"aov"`
	Notes             string          `json:"notes"`
	UUID              string          `json:"uuid"`
	Country           *string         `json:"country"`
	City              *string         `json:"city"`
	State             *string         `json:"state"`
	Postcode          *string         `json:"postcode"`
	CreatedAt         string          `json:"created_at"`
	UpdatedAt         string          `json:"updated_at"`
	SelectedLabels    json.RawMessage `json:"selected_labels,omitempty"` // reads only
	FullName          string          `json:"full_name"`
	Photo             string          `json:"photo"`
	CountryName       string          `json:"country_name"`
	FormattedAddress  addressJSON     `json:"formatted_address"`
	UserLink          string          `json:"user_link"`
	Labels            json.RawMessage `json:"labels,omitempty"` // reads only
}

type addressJSON struct {
	Country   string  `json:"country"`
	State     *string `json:"state"`
	City      *string `json:"city"`
	Postcode  *string `json:"postcode"`
	FirstName string  `json:"first_name"`
	LastName  string  `json:"last_name"`
	FullName  string  `json:"full_name"`
}

// responseTime is RFC 3339 with a numeric zone even in UTC: +00:00, never Z.
const responseTime = "2006-01-02T15:04:05-07:00"

const userLinkPrefix = "https://store.example/wp-admin/user-edit.php?user_id="

func (r Row) json(names regions) customerJSON {
	fullName := joinName(r.FirstName, r.LastName)
	country := names.country(r.Country)
	j := customerJSON{
		ID:                r.ID,
		UserID:            r.userIDText(),
		ContactID:         r.ContactID,
		Email:             r.Email,
		FirstName:         r.FirstName,
		LastName:          r.LastName,
		Status:            r.Status,
		PurchaseValue:     r.PurchaseValue,
		PurchaseCount:     r.PurchaseCount,
		LTV:               r.LTV,
		FirstPurchaseDate: r.FirstPurchaseDate,
		LastPurchaseDate:  r.LastPurchaseDate,
		AOV:               r.decimalAOV(),
		Notes:             r.Notes,
		UUID:              r.UUID,
		Country:           r.Country,
		City:              r.City,
		State:             r.State,
		Postcode:          r.Postcode,
		CreatedAt:         r.CreatedAt.Format(responseTime),
		UpdatedAt:         r.UpdatedAt.Format(responseTime),
		FullName:          fullName,
		Photo:             gravatar(r.Email),
		CountryName:       country,
		FormattedAddress: addressJSON{
			Country:   country,
			State:     names.state(r.Country, r.State),
			City:      r.City,
			Postcode:  r.Postcode,
			FirstName: r.FirstName,
			LastName:  r.LastName,
			FullName:  fullName,
		},
	}
	if r.isLinked() {
		j.UserLink = userLinkPrefix + *j.UserID
	}
	return j
}
