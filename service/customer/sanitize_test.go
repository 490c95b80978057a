package customer

import (
	"math"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
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

// Each row is what WordPress's functions returned on PHP 8.2.
func TestTextsWithALessThanSignAreSanitizedAsInWordPress(t *testing.T) {
	for _, row := range []struct{ name, text, sanitized string }{
		{"without a > it is escaped", "5 < 6", "5 &lt; 6"},
		{"so is one at the end", "a <", "a &lt;"},
		{"so is one before a word", "i <3 you", "i &lt;3 you"},
		{"only the last of two has no >", "a < b > c < d", "a < b > c &lt; d"},
		{"a > behind the next < is not its own", "<<a>>", "&lt;>"},
		{"quotes up to the next < are escaped too", `5 < 6 "x" 'y' < <b>z</b>`, "5 &lt; 6 &quot;x&quot; &#039;y&#039; &lt; z"},
		{"quotes in front of it are not", `"x" 5 < 6`, `"x" 5 &lt; 6`},
		{"an ampersand behind it is escaped", "a & b < c & d", "a & b &lt; c &amp; d"},
		{"known entities behind it stay", "< &copy; &frac14; &sup1; &amp; &#x1F600; &#128512;", "&lt; &copy; &frac14; &sup1; &amp; &#x1F600; &#128512;"},
		{"unknown entities behind it are escaped", "< &foo; &apos; &; &#; &#xD800; &#1114112;", "&lt; &amp;foo; &amp;apos; &amp;; &amp;#; &amp;#xD800; &amp;#1114112;"},
		{"numbers of entities are written in one form", "< &#39; &#00000039; &#X27; &#x027; &#0;", "&lt; &#039; &#039; &#x27; &#x27;"},
		{"an escaped number becomes one", "< &amp;#39; &amp;lt;", "&lt; &#039; &amp;lt;"},
		{"a line break behind it", "a <\nb", "a &lt; b"},
		{"an empty tag is removed", "a<>b", "ab"},
		{"before a space it begins no tag", "< a>", "< a>"},
		{"before a vertical tab too", "<\v a> b", "<\v a> b"},
		{"a tag may reach over lines", "<a\nb> c", "c"},
		{"an odd quote in a tag hides the rest", "sent <it's 3> times", "sent"},
		{"a quoted > does not end a tag", `<a title="x > y">b`, "b"},
		{"comments are removed with their tags", "<!-- a > b --> c", "c"},
		{"PHP code is removed", "<?php echo 1 > 2; ?> x", "x"},
		{"declarations are removed", `<!x "> y" > z`, "z"},
		{"NUL goes beside a tag", "<b>c\x00d", "cd"},
		{"NUL stays without one", "c\x00d", "c\x00d"},
		{"an octet between spaces leaves one", "a %41 b", "a b"},
		{"a script that is not closed is a tag", "<script>alert(1)", "alert(1)"},
		{"a text that is not UTF-8 becomes empty", "caf\xe9", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := sanitize(row.text); got != row.sanitized {
				t.Errorf("%q becomes %q, want %q", row.text, got, row.sanitized)
			}
		})
	}
}

// WordPress's sanitizing as WordPress does it: one replacement after another, and the octets repeated until none is left.
// It is too slow for hostile texts; the tests show that the linear version gives the same result. Its expression for tags
// holds only for texts without quotes, comments and the like.
var (
	unclosed = regexp.MustCompile(`<[^<>]*>?`)
	script   = regexp.MustCompile(`(?is)<script[^>]*>.*?</script>|<style[^>]*>.*?</style>`)
	tag      = regexp.MustCompile(`<([^\s\v<>][^<>]*)?>`)
	octet    = regexp.MustCompile(`%[0-9a-fA-F]{2}`)
	spacing  = regexp.MustCompile(`[\r\n\t ]+`)
)

func sanitizeByRounds(text string) string {
	if strings.Contains(text, "<") {
		text = unclosed.ReplaceAllStringFunc(text, func(found string) string {
			if strings.HasSuffix(found, ">") {
				return found
			}
			return escapeHTML(found)
		})
		text = trim(tag.ReplaceAllString(script.ReplaceAllString(text, ""), ""))
		text = strings.ReplaceAll(text, "<\n", "&lt;\n")
	}
	text = trim(spacing.ReplaceAllString(text, " "))
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
		"%<b>41", "%4<script></script>1", "<%41a>", "\x00x\x0b", "<é>é", "<\u00a0>", "<script", "<script>", "<style></script>",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := sanitize(text)
		if len(text) > 1000 || strings.ContainsAny(text, "ſ\x00\"'!?") || !utf8.ValidString(text) {
			return
		}
		if want := sanitizeByRounds(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	})
}

// The texts are made of the relevant pieces only: other random texts hardly ever hold one.
func TestSanitizingEqualsWordPressOnRandomTexts(t *testing.T) {
	pieces := []string{"<script", "</script>", "<style", "</style>", "<", ">", "a", "4", "%", " ", "\t", "\n", "é", "&", "amp;"}
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
		{"tags in quotes", `<a "<b>`},
		{"comments that have no end", "<!-- >"},
		{"ampersands behind a less-than sign", "<&&#&#x&amp;#"},
		{"entities behind a less-than sign", "<&amp;&#0000039;"},
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
	for range 12 { // the machine may be busy
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
