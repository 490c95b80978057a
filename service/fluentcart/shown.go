package fluentcart

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// shownText returns a string or a number as text, and anything else as empty text.
func shownText(raw jsontext.Value) string {
	switch raw.Kind() {
	case '0':
		return string(raw)
	case '"':
		if bytes.IndexByte(raw, '\\') < 0 && utf8.Valid(raw) {
			return string(raw[1 : len(raw)-1])
		}
		unquoted, _ := jsontext.AppendUnquote(nil, raw) // its error is about UTF-8 that it has replaced
		return string(unquoted)
	}
	return ""
}

// shownInteger returns the integer of a number or of a text such as "24900" or "24900.00", or nil for any other: 0 would be
// a false statement.
func shownInteger(raw jsontext.Value) *int64 {
	return integerOf(shownText(raw))
}

// integerOf is shownInteger for the text.
func integerOf(number string) *int64 {
	if strings.Trim(number, "0123456789+-.eE") != "" { // strconv reads hexadecimal numbers and infinities too
		return nil
	}
	whole, fraction, _ := strings.Cut(number, ".")
	if strings.Trim(fraction, "0") == "" {
		if n, err := strconv.ParseInt(whole, 10, 64); err == nil {
			return &n
		}
	}
	f, err := strconv.ParseFloat(number, 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) >= 1<<53 {
		return nil
	}
	n := int64(f)
	return &n
}

// shownAmounts reads {"USD":24900}; PHP writes the empty map as []. An amount that is not an integer is left out.
func shownAmounts(raw jsontext.Value) map[string]int64 {
	var read amounts
	if json.Unmarshal(raw, &read, tolerant) != nil {
		return nil
	}
	return read
}

// amounts are amounts of money by currency.
type amounts map[string]int64

// UnmarshalJSONFrom reads an object whose values are numbers or texts.
func (a *amounts) UnmarshalJSONFrom(in *jsontext.Decoder) error {
	return eachMember(in, func(name jsontext.Value) error {
		currency := shownText(name)
		amount, err := in.ReadValue()
		if err != nil {
			return err
		}
		if *a == nil {
			*a = amounts{}
		}
		if n := shownInteger(amount); n != nil {
			(*a)[currency] = *n
		}
		return nil
	})
}
