package sandbox

import (
	"strings"
	"unicode/utf8"
)

// maxLength is the longest text that the rules let through. The columns are shorter (F9).
const maxLength = 255

// validate checks the fields in the store's order. The caller holds the lock.
func (s *Store) validate(p params) faults {
	var fs faults
	if s.splitNames {
		fs = checkName(fs, p, "first_name", "First Name is required.")
		fs = checkName(fs, p, "last_name", "")
	} else {
		fs = checkName(fs, p, "full_name", "Full Name is required.")
	}
	if city := p.text("city"); city != nil {
		fs = checkText(fs, "city", *city)
	}
	return s.checkEmail(fs, p)
}

// checkName takes an empty required message for a name that may be left out.
func checkName(fs faults, p params, field, required string) faults {
	name := stringOrEmpty(p.text(field))
	if required != "" && isBlank(name) {
		return append(fs, fault{field, "required", required})
	}
	fs = checkText(fs, field, name)
	return checkLength(fs, field, name)
}

func (s *Store) checkEmail(fs faults, p params) faults {
	email := stringOrEmpty(p.text("email"))
	if isBlank(email) {
		return append(fs, fault{"email", "required", "Email is required."})
	}
	fs = checkText(fs, "email", email)
	if !isEmail(email) {
		fs = append(fs, fault{"email", "email", "Email must be a valid email address."})
	}
	fs = checkLength(fs, "email", email)

	// Whose e-mail does not count is told by the body's id, not by the path's: without it a customer's own e-mail is
	// taken, and with somebody else's id so is nobody's (F3).
	self := int64(0)
	if id := p.integer("id"); id != nil {
		self = *id
	}
	if s.isTaken(strings.Trim(email, phpSpace), self) {
		fs = append(fs, fault{"email", "exist", "Email already exists."})
	}
	return fs
}

func (s *Store) isTaken(email string, self int64) bool {
	for id, c := range s.customers {
		if (self == 0 || id != self) && strings.EqualFold(c.row.Email, email) {
			return true
		}
	}
	return false
}

func checkText(fs faults, field, value string) faults {
	if isCleanText(value) {
		return fs
	}
	return append(fs, fault{field, "sanitizeText", "The " + field + " must be a valid text"})
}

func checkLength(fs faults, field, value string) faults {
	if utf8.RuneCountInString(value) <= maxLength {
		return fs
	}
	return append(fs, fault{field, "maxLength", "The " + field + " must not be greater than 255 characters."})
}

func isBlank(s string) bool {
	return strings.Trim(s, phpSpace) == ""
}
