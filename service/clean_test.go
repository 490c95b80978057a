package service

import "testing"

func TestCleanDoesWhatTheStoreDoes(t *testing.T) {
	for _, row := range []struct{ name, text, cleaned string }{
		{"plain text stays", "prefers email", "prefers email"},
		{"line breaks, tabs and runs of spaces become one space", "a\r\nb\tc   d", "a b c d"},
		{"tags go", "2 <b>bold</b> <br/>x<!-- y -->", "2 bold x"},
		{"a less-than sign stays", "a < b and c > d", "a < b and c > d"},
		{"percent and two hexadecimal digits go", "100%25 sure", "100 sure"},
		{"also those that come about by it", "%2%255", ""},
		{"quotes, backslashes and entities stay", `"q" 's \ &amp; &`, `"q" 's \ &amp; &`},
		{"emoji stay", "thanks 🎉", "thanks 🎉"},
		{"outer spaces go", "  x ", "x"},
		{"no-break spaces stay", "\u00a0x\u00a0y\u3000", "\u00a0x\u00a0y\u3000"},
		{"scripts and styles go with their contents", "a <SCRIPT src=x>alert(1)</script>b<style>\n*{}</style>", "a b"},
		{"what is written like a tag goes", "sent <3 times> so far", "sent so far"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := clean(row.text); got != row.cleaned {
				t.Errorf("got %q, want %q", got, row.cleaned)
			}
		})
	}
}
