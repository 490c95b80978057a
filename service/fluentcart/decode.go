package fluentcart

import (
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"math"
	"strconv"
	"strings"
	"time"
)

// text is a JSON scalar as text; null, lists and objects are empty. It is for values that are shown or compared, never for
// values that are written back.
type text string

func (t *text) UnmarshalJSON(raw []byte) error {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		*t = text(s)
	} else if number := json.Number(""); json.Unmarshal(raw, &number) == nil {
		*t = text(number)
	}
	return nil
}

// object is a JSON object whose values are decoded one by one, because the store sends the same column sometimes as a
// number, sometimes as text, and an absent value in three ways (F14).
type object map[string]json.RawMessage

// decode reads a customer. Columns that the object does not have keep their value in c. decode is strict about columns that
// are written back, where a misread value would be lost, and tolerant about columns that are only shown.
func (c *Customer) decode(o object) error {
	d := decoder{object: o}
	var id int64
	if read := d.integer("id", nil); read != nil {
		id = *read
	}
	expected := c.ID
	*c = Customer{
		ID:            id,
		UserID:        d.integer("user_id", c.UserID),
		ContactID:     shown(o, "contact_id", shownInteger, c.ContactID),
		UUID:          shown(o, "uuid", shownText, c.UUID),
		Email:         d.filled("email", c.Email),
		FirstName:     d.filled("first_name", c.FirstName),
		LastName:      d.filled("last_name", c.LastName),
		City:          d.text("city", c.City),
		State:         d.text("state", c.State),
		Country:       d.text("country", c.Country),
		Postcode:      d.text("postcode", c.Postcode),
		Status:        d.text("status", c.Status),
		Notes:         d.filled("notes", c.Notes),
		AOV:           d.text("aov", c.AOV),
		LTV:           shown(o, "ltv", shownInteger, c.LTV),
		PurchaseCount: shown(o, "purchase_count", shownInteger, c.PurchaseCount),
		PurchaseValue: shown(o, "purchase_value", shownAmounts, c.PurchaseValue),
		FirstPurchase: shown(o, "first_purchase_date", shownTime, c.FirstPurchase),
		LastPurchase:  shown(o, "last_purchase_date", shownTime, c.LastPurchase),
		CreatedAt:     shown(o, "created_at", shownTime, c.CreatedAt),
		UpdatedAt:     shown(o, "updated_at", shownTime, time.Time{}), // a write changes it, so the earlier time is wrong
		Photo:         shown(o, "photo", shownURL, c.Photo),
		CountryName:   shown(o, "country_name", shownText, c.CountryName),
		UserLink:      shown(o, "user_link", shownText, c.UserLink),
	}
	switch {
	case d.err != nil:
		return d.err
	case c.ID != expected:
		return fmt.Errorf("the response is about customer %d, not %d", c.ID, expected)
	case c.Email == "":
		return errors.New("the customer has no e-mail address")
	}
	return nil
}

// decoder reads columns that are written back, and keeps the first error.
type decoder struct {
	object object
	err    error
}

// text returns a column's text, or nil for null. It accepts strings and numbers.
func (d *decoder) text(key string, absent *string) *string {
	raw, ok := d.object[key]
	switch {
	case !ok:
		return absent
	case string(raw) == "null":
		return nil
	case raw[0] != '"' && raw[0] != '-' && (raw[0] < '0' || raw[0] > '9'):
		d.fail(key, "text")
		return nil
	}
	s := shownText(raw)
	return &s
}

// filled returns the text of a column that is never NULL.
func (d *decoder) filled(key, absent string) string {
	if s := d.text(key, &absent); s != nil {
		return *s
	}
	return ""
}

// integer returns a column's integer, or nil for null and empty text.
func (d *decoder) integer(key string, absent *int64) *int64 {
	if _, ok := d.object[key]; !ok {
		return absent
	}
	s := d.text(key, nil)
	if s == nil || *s == "" {
		return nil
	}
	n, err := strconv.ParseInt(*s, 10, 64)
	if err != nil {
		d.fail(key, "an integer")
		return nil
	}
	return &n
}

func (d *decoder) fail(key, want string) {
	if d.err == nil {
		d.err = fmt.Errorf("the customer's %q is not %s", key, want)
	}
}

// shown reads a column that is only shown.
func shown[T any](o object, key string, read func(json.RawMessage) T, absent T) T {
	if raw, ok := o[key]; ok {
		return read(raw)
	}
	return absent
}

// shownText returns a scalar as text, and anything else as empty text.
func shownText(raw json.RawMessage) string {
	var t text
	_ = t.UnmarshalJSON(raw) // it accepts any JSON, and raw has been scanned
	return string(t)
}

// shownURL returns a URL that the store has escaped for HTML (F14).
func shownURL(raw json.RawMessage) string { return html.UnescapeString(shownText(raw)) }

// shownTime returns a time in one of the store's two formats, or the zero time (F14).
func shownTime(raw json.RawMessage) time.Time {
	for _, layout := range []string{time.RFC3339, time.DateTime} {
		if t, err := time.Parse(layout, shownText(raw)); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// shownInteger returns the integer of a number or of a text such as "24900" or "24900.00", else 0.
func shownInteger(raw json.RawMessage) int64 {
	number := shownText(raw)
	whole, _, _ := strings.Cut(number, ".")
	if n, err := strconv.ParseInt(whole, 10, 64); err == nil {
		return n
	}
	if f, err := strconv.ParseFloat(number, 64); err == nil && math.Abs(f) < 1<<53 {
		return int64(f)
	}
	return 0
}

// shownAmounts reads {"USD":24900}; PHP writes the empty map as [].
func shownAmounts(raw json.RawMessage) map[string]int64 {
	var amounts map[string]json.RawMessage
	if json.Unmarshal(raw, &amounts) != nil || len(amounts) == 0 {
		return nil
	}
	read := make(map[string]int64, len(amounts))
	for currency, amount := range amounts {
		read[currency] = shownInteger(amount)
	}
	return read
}
