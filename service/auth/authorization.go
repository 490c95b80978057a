package auth

import "strings"

// credentialOf returns the credential of the one Authorization value, which must have the scheme, or the problem. The
// limit is in bytes.
func credentialOf(presented Presented, scheme string, limit int) (credential, problem string) {
	switch len(presented.Authorization) {
	case 0:
		return "", "the call has no credentials"
	case 1:
	default:
		return "", "the call has more than one Authorization"
	}
	given, credential, _ := strings.Cut(presented.Authorization[0], " ")
	credential = strings.Trim(credential, " ")
	switch {
	case !strings.EqualFold(given, scheme):
		return "", "the credentials are of another kind"
	case credential == "" || len(credential) > limit:
		return "", "the credentials are malformed"
	}
	return credential, ""
}

// validName reports whether a name is fit for logs, metric labels and files.
func validName(name string) bool {
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
	return len(name) >= 1 && len(name) <= maxName && strings.Trim(name, allowed) == ""
}
