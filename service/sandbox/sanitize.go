package sandbox

import (
	"regexp"
	"strings"
)

// phpSpace holds the characters that PHP's trim removes.
const phpSpace = " \t\n\r\x00\x0b"

var (
	// WordPress removes the text between these tags too.
	codeElement = regexp.MustCompile(`(?is)<script[^>]*>.*?</script>|<style[^>]*>.*?</style>`)
	lessThan    = regexp.MustCompile(`<[^<>]*>?`)
	octet       = regexp.MustCompile(`%[0-9a-fA-F]{2}`)
	whitespace  = regexp.MustCompile(`[\r\n\t ]+`)
	spaces      = regexp.MustCompile(` +`)
)

// sanitize does what WordPress's sanitize_text_field does (F10, F28): it escapes each "<" without a ">", removes tags,
// percent-encoded octets and outer space, and replaces each run of space by one space.
func sanitize(s string) string {
	if strings.Contains(s, "<") {
		s = lessThan.ReplaceAllStringFunc(s, escapeUnclosed)
		s = stripTags(codeElement.ReplaceAllString(s, ""))
		s = strings.Trim(s, phpSpace)
		s = strings.ReplaceAll(s, "<\n", "&lt;\n") // a "<" that became the start of a tag by the next step
	}
	if strings.ContainsAny(s, "\r\n\t") || strings.Contains(s, "  ") {
		s = whitespace.ReplaceAllString(s, " ")
	}
	s = strings.Trim(s, phpSpace)

	// Repeat, because removing one octet can form another: "%%2525".
	for octet.MatchString(s) {
		s = strings.Trim(spaces.ReplaceAllString(octet.ReplaceAllString(s, ""), " "), phpSpace)
	}
	return s
}

// escapeUnclosed escapes a "<", and what follows it up to the next "<" or the end, unless a ">" ends it (F28):
// "5 < 6 & 7" becomes "5 &lt; 6 &amp; 7", and "a < b and c > d" stays.
func escapeUnclosed(s string) string {
	if strings.HasSuffix(s, ">") {
		return s
	}
	return escapeHTML(s)
}

// sanitizePtr sanitizes text and keeps NULL: the store sanitizes only the fields that were sent.
func sanitizePtr(s *string) *string {
	if s == nil {
		return nil
	}
	clean := sanitize(*s)
	return &clean
}

// isCleanText is the rule sanitizeText: sanitizing the text must remove nothing but outer space (F10).
func isCleanText(s string) bool {
	return sanitize(s) == strings.Trim(s, phpSpace)
}
