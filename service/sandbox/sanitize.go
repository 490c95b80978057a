package sandbox

import (
	"regexp"
	"strings"
)

// phpSpace is what PHP's trim takes away.
const phpSpace = " \t\n\r\x00\x0b"

var (
	// WordPress takes the text between these tags away too.
	codeElement = regexp.MustCompile(`(?is)<script[^>]*>.*?</script>|<style[^>]*>.*?</style>`)
	// A "<" before a space, or without its ">", opens no tag: "a < b and c > d" stays (F10).
	tag        = regexp.MustCompile(`<[^\s<>][^<>]*>`)
	octet      = regexp.MustCompile(`%[0-9a-fA-F]{2}`)
	whitespace = regexp.MustCompile(`[\r\n\t ]+`)
	spaces     = regexp.MustCompile(` +`)
)

// sanitize does what WordPress's sanitize_text_field does (F10): tags go, runs of space become one space, percent-encoded
// octets go, outer space goes.
func sanitize(s string) string {
	if strings.Contains(s, "<") {
		s = codeElement.ReplaceAllString(s, "")
		s = tag.ReplaceAllString(s, "")
	}
	if strings.ContainsAny(s, "\r\n\t") || strings.Contains(s, "  ") {
		s = whitespace.ReplaceAllString(s, " ")
	}
	s = strings.Trim(s, phpSpace)

	if !strings.Contains(s, "%") {
		return s
	}
	hadOctet := false
	// Again and again, since taking one away can put another together: "%%2525".
	for octet.MatchString(s) {
		s = octet.ReplaceAllString(s, "")
		hadOctet = true
	}
	if hadOctet {
		s = strings.Trim(spaces.ReplaceAllString(s, " "), phpSpace)
	}
	return s
}

// sanitizePtr leaves NULL as it is: the store cleans only what was sent.
func sanitizePtr(s *string) *string {
	if s == nil {
		return nil
	}
	clean := sanitize(*s)
	return &clean
}

// isCleanText is the rule sanitizeText: sanitising takes away no more than outer space (F10).
func isCleanText(s string) bool {
	return sanitize(s) == strings.Trim(s, phpSpace)
}
