package config

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/secret"
)

// parsePassword reads a file with one password. Spaces, line ends and invisible characters around it are removed: editors,
// shells and copying from a web page add them. Spaces inside are the password's: WordPress shows an application password with
// spaces, and ignores them.
func parsePassword(contents [][]byte) (secret.Text, error) {
	password := strings.TrimFunc(string(contents[0]), isInvisible)
	switch {
	case password == "":
		return secret.Text{}, errors.New("is empty: write the password into it")
	case !utf8.ValidString(password):
		return secret.Text{}, errors.New("is not UTF-8 text: save it as UTF-8")
	case strings.ContainsAny(password, "\r\n"):
		return secret.Text{}, errors.New("has more than one line: write the password into it, and nothing else")
	}
	if problem := invisible(password); problem != "" {
		return secret.Text{}, fmt.Errorf("%s: type the password again", problem)
	}
	return secret.New(password), nil
}

// invisible returns what cannot be seen in a text and does not belong there: a space before or after it, or another
// invisible character anywhere; "" if there is nothing. It does not repeat the text.
func invisible(text string) string {
	if strings.TrimSpace(text) != text {
		return "has a space or a line end before or after it"
	}
	for _, r := range text {
		if r != ' ' && isInvisible(r) {
			return fmt.Sprintf("has an invisible character (%U)", r)
		}
	}
	return ""
}

// isInvisible reports whether r is a space, a control character or a format character, such as a no-break space, a
// zero-width space or a byte order mark.
func isInvisible(r rune) bool {
	return unicode.IsSpace(r) || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Z)
}
