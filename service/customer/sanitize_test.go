package customer

import (
	"math"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestTextIsSanitizedAsTheStoreDoes(t *testing.T) {
	for _, row := range []struct{ name, text, sanitized string }{
		{"plain text stays", "prefers email", "prefers email"},
		{"line breaks, tabs and runs of spaces become one space", "a\r\nb\tc   d", "a b c d"},
		{"tags are removed", "2 <b>bold</b> <br/>x<!-- y -->", "2 bold x"},
		{"a less-than sign stays", "a < b and c > d", "a < b and c > d"},
		{"percent and two hexadecimal digits are removed", "100%25 sure", "100 sure"},
		{"so are those that the removal forms", "%2%255", ""},
		{"quotes, backslashes and entities stay", `"q" 's \ &amp; &`, `"q" 's \ &amp; &`},
		{"emoji stay", "thanks 🎉", "thanks 🎉"},
		{"outer spaces are removed", "  x ", "x"},
		{"no-break spaces stay", "\u00a0x\u00a0y\u3000", "\u00a0x\u00a0y\u3000"},
		{"scripts and styles are removed with their content", "a <SCRIPT src=x>alert(1)</script>b<style>\n*{}</style>", "a b"},
		{"everything written like a tag is removed", "sent <3 times> so far", "sent so far"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := sanitize(row.text); got != row.sanitized {
				t.Errorf("got %q, want %q", got, row.sanitized)
			}
		})
	}
}

// WordPress's sanitizing as WordPress does it: one replacement after another, and the octets repeated until none is left.
// It is too slow for hostile texts; the tests show that the linear version gives the same result.
var (
	script  = regexp.MustCompile(`(?is)<script[^>]*>.*?</script>|<style[^>]*>.*?</style>`)
	tag     = regexp.MustCompile(`<[^\s<>][^<>]*>`)
	octet   = regexp.MustCompile(`%[0-9a-fA-F]{2}`)
	spacing = regexp.MustCompile(`[\r\n\t ]+`)
)

func sanitizeByRounds(text string) string {
	text = tag.ReplaceAllString(script.ReplaceAllString(text, ""), "")
	for octet.MatchString(text) {
		text = octet.ReplaceAllString(text, "")
	}
	return trim(spacing.ReplaceAllString(text, " "))
}

// FuzzSanitize compares the two. Go's expressions match ſ as an s, PHP's do not.
func FuzzSanitize(f *testing.F) {
	for _, text := range []string{
		"%2%255", "%%4141", "a\r\nb\tc   d ", "<style><script></script>", "<script <style></style></script>", "<scRIPT>a<style>b</STYLE></Script>c",
		"<<a>>", "<a<b>c>", "< a>", "<", "<>", "<a", "</script><script>x</script></script>", "<script><script></script></script>",
		"%<b>41", "%4<script></script>1", "<%41a>", "\x00x\x0b", "\xff<\xff>%\xff1", "<é>é", "<\u00a0>", "<script", "<script>", "<style></script>",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1000 || strings.Contains(text, "ſ") {
			return
		}
		if got, want := sanitize(text), sanitizeByRounds(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	})
}

// The texts are made of the relevant pieces only: other random texts hardly ever hold one.
func TestSanitizingEqualsWordPressOnRandomTexts(t *testing.T) {
	pieces := []string{"<script", "</script>", "<style", "</style>", "<", ">", "a", "4", "%", " ", "\t", "\n", "é"}
	random := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		var text strings.Builder
		for range random.IntN(16) {
			text.WriteString(pieces[random.IntN(len(pieces))])
		}
		if got, want := sanitize(text.String()), sanitizeByRounds(text.String()); got != want {
			t.Fatalf("%q becomes %q, want %q", text.String(), got, want)
		}
	}
}

// A text may be as long as a request, and hold what makes a sanitizing by rounds very slow.
func TestSanitizingTakesLinearTime(t *testing.T) {
	for _, row := range []struct{ name, once string }{
		{"octets within octets", "%"}, // followed by as many pairs of digits
		{"styles that do not end around scripts that do", "<style><script></script>"},
		{"scripts that do not end around styles that do", "<script><style></style>"},
		{"scripts that have no end", "<script>"},
		{"tags that are not closed", "<a"},
		{"tags", "<a>"},
		{"spaces", " \t"},
	} {
		t.Run(row.name, func(t *testing.T) {
			const small, times = 4 << 10, 16
			of := func(size int) string {
				if row.once == "%" {
					return strings.Repeat("%", size/3) + strings.Repeat("41", size/3)
				}
				return strings.Repeat(row.once, size/len(row.once))
			}
			short, long := fastest(of(small)), fastest(of(small*times))
			t.Logf("%v for %d bytes, %v for %d times as many", short, small, long, times)
			if long > 4*times*max(short, 10*time.Microsecond) { // quadratic time would be 16 times that
				t.Error("the time grows faster than the length")
			}
		})
	}
}

func fastest(text string) time.Duration {
	least := time.Duration(math.MaxInt64)
	for range 3 {
		start := time.Now()
		sanitize(text)
		least = min(least, time.Since(start))
	}
	return least
}

// The number of allocations shows without a clock whether the text is copied for each match.
func TestSanitizingDoesNotCopyTheTextPerMatch(t *testing.T) {
	const most = 200
	text := strings.Repeat("%", 2000) + strings.Repeat("41", 2000)
	if allocations := testing.AllocsPerRun(1, func() { sanitize(text) }); allocations > most {
		t.Errorf("%.0f allocations, want at most %d", allocations, most)
	}
}
