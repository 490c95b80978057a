package sandbox

import "regexp"

var emailAddress = regexp.MustCompile(
	"^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\\.)+" +
		"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?$")

// isEmail is WordPress's is_email: no outer space, no quotes, letters of ASCII, a dot in the domain.
func isEmail(s string) bool {
	const shortest = 6 // a@b.co
	return len(s) >= shortest && emailAddress.MatchString(s)
}
