package sandbox

import "testing"

func TestTextIsSanitizedAsInWordPress(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"plain text stays", "prefers email", "prefers email"},
		{"outer space is removed", "\n a \t", "a"},
		{"runs of space become one", "a \r\n\t b  c", "a b c"},
		{"tags are removed", `<a href="x">b</a> <br/>c`, "b c"},
		{"scripts are removed with their content", "a<script>alert(1)</script>b", "ab"},
		{"characters that open no tag stay", "a < b and c > d", "a < b and c > d"},
		{"a single < stays", "i <3 you", "i <3 you"},
		{"octets are removed", "100%25 of %C3%A9", "100 of"},
		{"octets formed by removal are removed", "a%%2525b", "ab"},
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
