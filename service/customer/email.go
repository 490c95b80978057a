package customer

import (
	"regexp"
	"strings"
)

// WordPress's is_email accepts fewer addresses than the contract: it wants a dot in the domain, and six bytes. It is for
// the dry run only, because a plug-in can make WordPress accept more.
var (
	localPart   = regexp.MustCompile("^[a-zA-Z0-9!#$%&'*+/=?^_`{|}~.-]+$")
	domainLabel = regexp.MustCompile("^[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?$")
)

// shortestEmail is the length of the shortest address that WordPress accepts: a@b.co.
const shortestEmail = 6

// isEmail reports whether WordPress accepts an e-mail address.
func isEmail(address string) bool {
	local, domain, _ := strings.Cut(address, "@")
	labels := strings.Split(domain, ".")
	if len(address) < shortestEmail || !localPart.MatchString(local) || len(labels) < 2 {
		return false
	}
	for _, label := range labels {
		if !domainLabel.MatchString(label) {
			return false
		}
	}
	return true
}
