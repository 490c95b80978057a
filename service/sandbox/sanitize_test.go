package sandbox

import "testing"

func TestSanitize(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"plain text stays", "prefers email", "prefers email"},
		{"outer space goes", "\n a \t", "a"},
		{"runs of space become one", "a \r\n\t b  c", "a b c"},
		{"tags go", `<a href="x">b</a> <br/>c`, "b c"},
		{"scripts go with what they hold", "a<script>alert(1)</script>b", "ab"},
		{"signs that open no tag stay", "a < b and c > d", "a < b and c > d"},
		{"a lone sign stays", "i <3 you", "i <3 you"},
		{"octets go", "100%25 of %C3%A9", "100 of"},
		{"octets that come together go", "a%%2525b", "ab"},
		{"a percentage stays", "100% or 5%x", "100% or 5%x"},
		{"entities, quotes and backslashes stay", `&amp; "q" 's \ back`, `&amp; "q" 's \ back`},
		{"emoji stay", "thanks 🙏", "thanks 🙏"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := sanitize(tt.in); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
