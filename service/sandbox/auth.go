package sandbox

import (
	"crypto/subtle"
	"net/http"
	"strings"
)

// The sandbox's accounts, with their WordPress application passwords. WordPress displays these with spaces, and compares
// them without.
const (
	AdminUsername      = "admin"
	AdminPassword      = "sand box sand box sand box" //nolint:gosec // valid for the sandbox only
	SubscriberUsername = "sub"
	SubscriberPassword = "subs crib erss ubsc ribe rsub" //nolint:gosec // as above
)

// administrator is the role that may read and update customers.
const administrator = "administrator"

// credential is the passwords and the permission of one user.
type credential struct {
	passwords []string // without spaces; a WordPress user can have several
	mayManage bool
}

func newCredentials(accounts map[int64]account) map[string]credential {
	passwords := map[string]string{AdminUsername: AdminPassword, SubscriberUsername: SubscriberPassword}
	credentials := make(map[string]credential, len(passwords))
	for _, a := range accounts {
		if password, ok := passwords[a.Login]; ok {
			credentials[a.Login] = credential{
				passwords: []string{withoutSpaces(password)},
				mayManage: a.Role == administrator,
			}
		}
	}
	return credentials
}

// SetPasswords replaces the application passwords of a user, as an owner who creates a new one and later revokes the old
// one. Without any password the user cannot authenticate.
func (s *Store) SetPasswords(username string, passwords ...string) {
	s.access.Lock()
	defer s.access.Unlock()
	c := s.credentials[username]
	c.passwords = nil
	for _, password := range passwords {
		c.passwords = append(c.passwords, withoutSpaces(password))
	}
	s.credentials[username] = c
}

func withoutSpaces(password string) string { return strings.ReplaceAll(password, " ", "") }

// accepts reports whether password is one of the user's.
func (c credential) accepts(password string) bool {
	found := 0
	for _, known := range c.passwords {
		found |= subtle.ConstantTimeCompare([]byte(withoutSpaces(password)), []byte(known))
	}
	return found == 1
}

// authorize returns nil if the request may go on, and the response if it may not (F18).
func (s *Store) authorize(r *http.Request) *fixedResponse {
	s.access.RLock()
	defer s.access.RUnlock()
	username, password, _ := r.BasicAuth()
	c := s.credentials[username]
	switch {
	case !c.accepts(password):
		return &unauthorized
	case !c.mayManage:
		return &forbidden
	}
	return nil
}
