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
	password  string // without spaces
	mayManage bool
}

func newCredentials(accounts map[int64]account) map[string]credential {
	passwords := map[string]string{AdminUsername: AdminPassword, SubscriberUsername: SubscriberPassword}
	credentials := make(map[string]credential, len(passwords))
	for _, a := range accounts {
		if password, ok := passwords[a.Login]; ok {
			credentials[a.Login] = credential{
				password:  strings.ReplaceAll(password, " ", ""),
				mayManage: a.Role == administrator,
			}
		}
	}
	return credentials
}

// authorize says whether the request may go on, and what to answer if not (F18).
func (s *Store) authorize(r *http.Request) (refusal answer, ok bool) {
	username, password, _ := r.BasicAuth()
	c, known := s.credentials[username]
	password = strings.ReplaceAll(password, " ", "")
	if !known || subtle.ConstantTimeCompare([]byte(password), []byte(c.password)) != 1 {
		return unauthorized, false
	}
	if !c.mayManage {
		return forbidden, false
	}
	return answer{}, true
}
