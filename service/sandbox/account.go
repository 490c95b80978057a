package sandbox

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// account is a WordPress user.
type account struct {
	ID          int64  `json:"id"`
	Login       string `json:"login"`
	Role        string `json:"role"`
	Email       string `json:"email"`
	DisplayName string `json:"display_name"`
}

// The widths of two columns of WordPress's user table. WordPress refuses values that do not fit (F8).
const (
	slugColumn = 50
	urlColumn  = 100
)

// errAccountUpdate means that WordPress refused to update a user. The store's response does not give the reason (F8).
var errAccountUpdate = errors.New("failed to update user")

// updateAccount writes a linked customer's e-mail and name onto the linked WordPress account, whichever account that is
// (F13). The caller holds the lock.
func (s *Store) updateAccount(id int64, email, name, url string) error {
	a, ok := s.accounts[id]
	slug := slug(name)
	switch {
	case !ok,
		slug == "" || utf8.RuneCountInString(slug) > slugColumn,
		utf8.RuneCountInString(url) > urlColumn,
		!strings.EqualFold(a.Email, email) && s.isAccountEmail(email): // WordPress keeps its users' e-mails unique
		return errAccountUpdate
	}
	a.Email, a.DisplayName = email, name
	s.accounts[id] = a
	return nil
}

func (s *Store) isAccountEmail(email string) bool {
	for _, a := range s.accounts {
		if strings.EqualFold(a.Email, email) {
			return true
		}
	}
	return false
}

// slug returns the form of a name that WordPress uses in URLs. WordPress removes the accents of Latin letters and drops the
// letters of other scripts. Only the length and the emptiness of the result matter here, so slug keeps accents.
func slug(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case unicode.Is(unicode.Latin, r) || '0' <= r && r <= '9' || r == '_':
			b.WriteRune(r)
		case r == ' ' || r == '.' || r == '-':
			if s := b.String(); s != "" && !strings.HasSuffix(s, "-") {
				b.WriteByte('-')
			}
		}
	}
	return strings.TrimSuffix(b.String(), "-")
}
