package sandbox

import (
	"crypto/subtle"
	"net/http"
	"strings"
)

// Accounts the sandbox knows, as WordPress application passwords. WordPress prints these with spaces, and compares
// without them.
const (
	AdminUsername      = "admin"
	AdminPassword      = "sand box sand box sand box" //nolint:gosec // it opens the sandbox only
	SubscriberUsername = "sub"
	SubscriberPassword = "subs crib erss ubsc ribe rsub" //nolint:gosec // as above
)

// administrator is the role of those who may read and update customers.
const administrator = "administrator"

// credential is what one login takes and gives.
type credential struct {
	passwords []string // without spaces; WordPress lets a user have several
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

// SetPasswords replaces the application passwords of a user, as somebody does who makes a new one and later revokes the
// old one. No password lets nobody in.
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

// takes reports whether it is one of the passwords.
func (c credential) takes(password string) bool {
	found := 0
	for _, known := range c.passwords {
		found |= subtle.ConstantTimeCompare([]byte(withoutSpaces(password)), []byte(known))
	}
	return found == 1
}

// authorize says whether the request may go on, and what to answer if not (F18).
func (s *Store) authorize(r *http.Request) (refusal answer, ok bool) {
	s.access.RLock()
	defer s.access.RUnlock()
	username, password, _ := r.BasicAuth()
	c := s.credentials[username]
	if !c.takes(password) {
		return unauthorized, false
	}
	if !c.mayManage {
		return forbidden, false
	}
	return answer{}, true
}
