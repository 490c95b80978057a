package filereload

import (
	"strings"
	"testing"
)

func TestByteOrderMarksAreRemovedOrRefused(t *testing.T) {
	for _, row := range []struct {
		name, content string
		text          string
		refused       bool
	}{
		{"UTF-8", "secret\r\n", "secret\r\n", false},
		{"UTF-8 with a byte order mark", "\xef\xbb\xbfsecret", "secret", false},
		{"UTF-8 of other letters", "pässwörd", "pässwörd", false},
		{"Latin-1", "p\xe4ss", "p\xe4ss", false},
		{"no content", "", "", false},
		{"only a byte order mark", "\xef\xbb\xbf", "", false},
		{"UTF-16, little end first", "\xff\xfes\x00e\x00", "", true},
		{"UTF-16, big end first", "\xfe\xff\x00s\x00e", "", true},
		{"UTF-16 without a byte order mark, little end first", "s\x00e\x00c\x00", "", true},
		{"UTF-16 without a byte order mark, big end first", "\x00s\x00e\x00c", "", true},
		{"UTF-32", "\xff\xfe\x00\x00s\x00\x00\x00", "", true},
		{"a certificate in DER", "\x30\x82\x01\x00", "\x30\x82\x01\x00", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			text, err := Text([]byte(row.content))
			if string(text) != row.text || (err != nil) != row.refused {
				t.Errorf("got %q, %v", text, err)
			}
			if err != nil && !strings.Contains(err.Error(), "UTF-16") {
				t.Errorf("the error does not name UTF-16: %v", err)
			}
		})
	}
}
