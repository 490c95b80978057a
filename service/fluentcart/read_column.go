package fluentcart

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// A PUT overwrites all columns, so what a read shows is written back (F2). A store, or a plug-in in it, may show another
// value than the stored one: JSON_NUMERIC_CHECK makes 1067 of the postcode 01067, and 100000.0 of 1E5 (F14). Such a column
// must not be written back.

// fault says why the JSON of a column does not show the stored value for certain.
type fault uint8

const (
	noFault fault = iota
	shownNumber
	shownBoolean
	shownList
	shownObject
	shownInvalidText
	notInteger
)

// String continues "the column is shown as".
func (f fault) String() string {
	return [...]string{
		noFault: "it is", shownNumber: "a number", shownBoolean: "a boolean", shownList: "a list", shownObject: "an object",
		shownInvalidText: "text that is not valid UTF-8", notInteger: "something that is not an integer",
	}[f]
}

// readText reads a column of text. Only a string shows the stored value for certain. expected is what a write has asked for,
// or empty: a number that is equal to it shows that it was stored.
func readText(raw jsontext.Value, expected string) (string, fault) {
	switch raw.Kind() {
	case '"':
		if bytes.IndexByte(raw, '\\') < 0 && utf8.Valid(raw) {
			return string(raw[1 : len(raw)-1]), noFault
		}
		unquoted, err := jsontext.AppendUnquote(nil, raw)
		if err != nil { // a byte that is not UTF-8, or half a surrogate pair; U+FFFD stands for it
			return string(unquoted), shownInvalidText
		}
		return string(unquoted), noFault
	case '0':
		if SameNumber(expected, string(raw)) {
			return expected, noFault
		}
		return string(raw), shownNumber
	case '[':
		return "", shownList
	case '{':
		return "", shownObject
	}
	return "", shownBoolean
}

// SameNumber reports whether PHP treats a text as a number, and shows it as the given one (F14).
func SameNumber(text, number string) bool {
	return isNumeric(text) && isNumeric(number) && parseFloat(text) == parseFloat(number)
}

// isNumeric reports whether PHP's JSON_NUMERIC_CHECK treats a text as a number.
func isNumeric(text string) bool {
	_, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	return err == nil && strings.ContainsAny(text, "0123456789") && !strings.ContainsAny(text, "xXpP_")
}

func parseFloat(text string) float64 {
	f, _ := strconv.ParseFloat(strings.TrimSpace(text), 64)
	return f
}

// maxExactDecimal is the largest number of which a floating-point number, which PHP makes of it, keeps two decimals: 2^53
// hundredths.
const maxExactDecimal = (1 << 53) / 100

// readDecimal reads a column of decimals with two places. The store sends a text, or a number with some database drivers. A
// number up to maxExactDecimal, in any notation, is the stored value again after the database has rounded it.
func readDecimal(raw jsontext.Value) (string, fault) {
	if raw.Kind() != '0' {
		return readText(raw, "")
	}
	f := parseFloat(string(raw))
	switch {
	case math.Abs(f) > maxExactDecimal:
		return string(raw), shownNumber
	case bytes.ContainsAny(raw, "eE"):
		return strconv.FormatFloat(f, 'f', -1, 64), noFault
	}
	return string(raw), noFault
}

// readInteger reads a column of integers: a number or a text, also in the forms 2.0 and 2e0. PHP casts null, false and
// empty text to 0, and to the store 0 means none. Anything else is unusable: the id says whose row it is, and the user_id
// which permissions an update needs.
func readInteger(raw jsontext.Value) (*int64, fault) {
	switch raw.Kind() {
	case 'n', 'f':
		return nil, noFault
	case '"', '0':
		text := strings.TrimSpace(shownText(raw))
		if text == "" {
			return nil, noFault
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err == nil {
			return &n, noFault
		}
		if f := parseFloat(text); isNumeric(text) && f == math.Trunc(f) && math.Abs(f) < 1<<53 {
			n = int64(f)
			return &n, noFault
		}
	}
	return nil, notInteger
}
