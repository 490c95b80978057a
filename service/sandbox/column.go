package sandbox

import (
	"math"
	"strconv"
	"strings"
)

// The widths of the text columns, in characters. The database cuts what is longer, without a word (F9).
const (
	shortColumn = 45  // city state country postcode status
	nameColumn  = 192 // first_name last_name email
)

// cut keeps the first limit characters of s; characters, not bytes.
func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	n := 0
	for i := range s {
		if n == limit {
			return s[:i]
		}
		n++
	}
	return s
}

// cutShort cuts at the width of a short column; NULL stays NULL.
func cutShort(s *string) *string {
	if s == nil {
		return nil
	}
	c := cut(*s, shortColumn)
	return &c
}

// decimal is what a DECIMAL(n,2) column makes of s. Strict mode is off in WordPress's database sessions, so text
// that is no number becomes 0 and is not refused.
func decimal(s *string) *float64 {
	if s == nil {
		return nil
	}
	v, err := strconv.ParseFloat(strings.TrimSpace(*s), 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		v = 0
	}
	v = math.Round(v*100) / 100
	return &v
}
