package nearest_test

import (
	"strings"
	"testing"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/nearest"
)

func TestName(t *testing.T) {
	known := []string{"email", "full_name", "first_name", "last_name", "city", "state", "country", "status", "log-level", "log-format"}
	for _, row := range []struct{ name, given, want string }{
		{"the same letters in another case", "firstName", "first_name"},
		{"another separator", "first-name", "first_name"},
		{"a letter too many", "citty", "city"},
		{"a letter too few", "contry", "country"},
		{"a wrong letter", "lost_name", "last_name"},
		{"two letters swapped", "ctiy", "city"},
		{"two mistakes in a long name", "frist_nam", "first_name"},
		{"the first of two that are as near", "statse", "state"},
		{"the beginning of a name", "log", "log-level"},
		{"the beginning of a name does not go before a mistake", "stat", "state"},
		{"three mistakes in a short name", "cxxx", ""},
		{"something else", "birthday", ""},
		{"one letter", "c", ""},
		{"no letters", "--", ""},
		{"nothing", "", ""},
		{"letters outside ASCII", "ñame", ""},
		{"far too long", strings.Repeat("city", 100), ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := nearest.Name(row.given, known); got != row.want {
				t.Errorf("nearest to %q is %q, want %q", row.given, got, row.want)
			}
		})
	}
}
