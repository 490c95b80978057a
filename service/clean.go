package service

import (
	"regexp"
	"strings"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// phpSpace is what PHP takes for space. No-break and ideographic spaces are letters to it.
const phpSpace = " \t\n\r\x00\x0b"

// trim takes the outer space away, as PHP does.
func trim(text string) string { return strings.Trim(text, phpSpace) }

// What WordPress takes out of a line of text (F10). A `<` in front of a space, or without its `>`, stays.
var (
	script  = regexp.MustCompile(`(?is)<script[^>]*>.*?</script>|<style[^>]*>.*?</style>`)
	tag     = regexp.MustCompile(`<[^\s<>][^<>]*>`)
	octet   = regexp.MustCompile(`%[0-9a-fA-F]{2}`)
	spacing = regexp.MustCompile(`[\r\n\t ]+`)
)

// clean returns a text as the store keeps it. It serves predictions and explanations only: what is written is
// left for the store to clean, and what is answered is what the store says.
func clean(text string) string {
	text = tag.ReplaceAllString(script.ReplaceAllString(text, ""), "")
	for octet.MatchString(text) { // taking one out can make another
		text = octet.ReplaceAllString(text, "")
	}
	return trim(spacing.ReplaceAllString(text, " "))
}

// predict returns the customer as the store would keep it, or the store's refusal, as far as can be known
// without asking. In names and city the store refuses what it cleans elsewhere (F10).
func (m *merged) predict() (*fluentcart.Customer, error) {
	after := m.customer
	var violations []violation
	for _, f := range fields {
		value := m.asked(f)
		cleaned := clean(value)
		switch f.name {
		case "full_name", "first_name", "last_name", "city":
			if cleaned != trim(value) {
				description := notPlainText
				if m.stored(f.name) {
					description += storedBreaks
				}
				violations = append(violations, violation{f.name, description})
			}
		}
		if f.set != nil && cleaned != value {
			f.set(&after, cleaned)
		}
	}
	if len(violations) > 0 {
		return nil, predictedRefusal(violations)
	}
	return &after, nil
}
