package fluentcart

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// replaced are the columns that a PUT overwrites: a merge needs to know them all (F2).
var replaced = []string{
	"email", "first_name", "last_name", "city", "state", "country", "postcode", "status", "notes", "user_id",
}

// text is a scalar of JSON as text; null and what is not a scalar are empty. It is for what is shown or
// compared, never for what is written back.
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

// object is a JSON object whose values are decoded one by one, because the store gives the same column now as
// a number, now as text, and absent ones in three ways (F14).
type object map[string]json.RawMessage

// missing returns the first of the keys that the object does not have.
func (o object) missing(keys []string) string {
	for _, key := range keys {
		if _, ok := o[key]; !ok {
			return key
		}
	}
	return ""
}

// decodeCustomer reads a customer. It is strict about what is written back, where a misread value would be
// lost, and tolerant about what is only shown.
func decodeCustomer(o object, id int64) (*Customer, error) {
	d := decoder{object: o}
	c := &Customer{
		UserID:        d.integer("user_id"),
		ContactID:     shownInteger(o["contact_id"]),
		UUID:          o.shown("uuid"),
		Email:         d.filled("email"),
		FirstName:     d.filled("first_name"),
		LastName:      d.filled("last_name"),
		City:          d.text("city"),
		State:         d.text("state"),
		Country:       d.text("country"),
		Postcode:      d.text("postcode"),
		Status:        d.text("status"),
		Notes:         d.filled("notes"),
		AOV:           d.text("aov"),
		LTV:           shownInteger(o["ltv"]),
		PurchaseCount: shownInteger(o["purchase_count"]),
		PurchaseValue: shownAmounts(o["purchase_value"]),
		FirstPurchase: o.time("first_purchase_date"),
		LastPurchase:  o.time("last_purchase_date"),
		CreatedAt:     o.time("created_at"),
		UpdatedAt:     o.time("updated_at"),
		Photo:         o.shown("photo"),
		CountryName:   o.shown("country_name"),
		UserLink:      o.shown("user_link"),
	}
	if read := d.integer("id"); read != nil {
		c.ID = *read
	}
	switch {
	case d.err != nil:
		return nil, d.err
	case c.ID != id:
		return nil, fmt.Errorf("the answer is about customer %d, not %d", c.ID, id)
	case c.Email == "":
		return nil, errors.New("the customer has no e-mail address")
	}
	return c, nil
}

// decoder reads the columns that are written back, and keeps the first error.
type decoder struct {
	object object
	err    error
}

// text returns a column's text, nil for null. Numbers and strings are both text.
func (d *decoder) text(key string) *string {
	raw, ok := d.object[key]
	if !ok || string(raw) == "null" {
		return nil
	}
	if raw[0] != '"' && raw[0] != '-' && (raw[0] < '0' || raw[0] > '9') {
		d.fail(key, "text")
		return nil
	}
	var t text
	_ = t.UnmarshalJSON(raw) // it is a scalar, and valid: json.Unmarshal has scanned it
	s := string(t)
	return &s
}

// filled is text for a column that is never NULL.
func (d *decoder) filled(key string) string {
	if s := d.text(key); s != nil {
		return *s
	}
	return ""
}

// integer returns a column's integer, nil for null and empty text.
func (d *decoder) integer(key string) *int64 {
	s := d.text(key)
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

// shown returns a column that is only shown, as text.
func (o object) shown(key string) string {
	var t text
	_ = json.Unmarshal(o[key], &t) // absent is empty
	return string(t)
}

// time returns a column's time, or the zero time if it is none or written in another way.
func (o object) time(key string) time.Time {
	value := o.shown(key)
	for _, layout := range []string{time.RFC3339, time.DateTime} {
		if t, err := time.Parse(layout, value); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// shownInteger returns the integer of a number or of a text such as "24900" or "24900.00", else 0.
func shownInteger(raw json.RawMessage) int64 {
	var t text
	_ = json.Unmarshal(raw, &t) // absent is empty
	whole, _, _ := strings.Cut(string(t), ".")
	if n, err := strconv.ParseInt(whole, 10, 64); err == nil {
		return n
	}
	if f, err := strconv.ParseFloat(string(t), 64); err == nil && math.Abs(f) < 1<<53 {
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
