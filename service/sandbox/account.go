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

// The widths of two columns of WordPress's own user table, which refuses what does not fit (F8).
const (
	slugColumn = 50
	urlColumn  = 100
)

// errAccountUpdate is WordPress refusing to update a user. The store does not tell why (F8).
var errAccountUpdate = errors.New("failed to update user")

// updateAccount writes a linked customer's e-mail and name onto the WordPress account it is linked to, whoever's that
// is (F13). The caller holds the lock.
func (s *Store) updateAccount(id int64, email, name, url string) error {
	a, ok := s.accounts[id]
	if !ok {
		return errAccountUpdate
	}
	if slug := slug(name); slug == "" || utf8.RuneCountInString(slug) > slugColumn {
		return errAccountUpdate
	}
	if utf8.RuneCountInString(url) > urlColumn {
		return errAccountUpdate
	}
	if !strings.EqualFold(a.Email, email) && s.isAccountEmail(email) {
		return errAccountUpdate // WordPress keeps its users' e-mails unique
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

// slug is the name in a WordPress address. WordPress spells accented Latin letters without their accents and leaves
// the letters of other scripts out; only the length and the emptiness of the result matter here, so accents stay.
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
