package sandbox

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
)

// castInt is PHP's cast of text to an integer: the number that the text begins with, else 0.
func castInt(s string) int64 {
	s = strings.TrimLeft(s, phpSpace)
	end := 0
	if end < len(s) && (s[end] == '-' || s[end] == '+') {
		end++
	}
	for end < len(s) && '0' <= s[end] && s[end] <= '9' {
		end++
	}
	n, err := strconv.ParseInt(s[:end], 10, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0
	}
	return n // out of range: the nearest integer there is, in PHP too
}

// castText is PHP's cast of a JSON scalar to text; nil for null.
func castText(v json.RawMessage) *string {
	var s string
	switch {
	case len(v) == 0 || v[0] == 'n':
		return nil
	case v[0] == '"':
		// It was checked when the body was parsed, so this cannot fail.
		_ = json.Unmarshal(v, &s)
	case v[0] == 't':
		s = "1"
	case v[0] == 'f':
		s = ""
	default:
		s = numberText(string(v))
	}
	return &s
}

// numberText prints a JSON number as PHP does: 75 and 75.0 are both "75".
func numberText(literal string) string {
	if !strings.ContainsAny(literal, ".eE") {
		return literal
	}
	f, err := strconv.ParseFloat(literal, 64)
	if err != nil {
		return literal
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}
