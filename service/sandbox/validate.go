package sandbox

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"unicode/utf8"
)

// maxLength is the longest text that the rules accept. The columns are shorter (F9).
const maxLength = 255

// validate checks the fields in the store's order. The caller holds the lock.
func (s *Store) validate(p values) violations {
	var vs violations
	if s.splitNames {
		vs = checkName(vs, p, "first_name", "First Name is required.")
		vs = checkName(vs, p, "last_name", "")
	} else {
		vs = checkName(vs, p, "full_name", "Full Name is required.")
	}
	if city := p.text("city"); city != nil {
		vs = checkText(vs, "city", *city)
	}
	return s.checkEmail(vs, p)
}

// checkName checks one name field. An empty required message means that the name may be left out.
func checkName(vs violations, p values, field, required string) violations {
	name := stringOrEmpty(p.text(field))
	if required != "" && isBlank(name) {
		return append(vs, violation{field, "required", required})
	}
	vs = checkText(vs, field, name)
	return checkLength(vs, field, name)
}

func (s *Store) checkEmail(vs violations, p values) violations {
	email := stringOrEmpty(p.text("email"))
	if isBlank(email) {
		return append(vs, violation{"email", "required", "Email is required."})
	}
	vs = checkText(vs, "email", email)
	if !isEmail(email) {
		vs = append(vs, violation{"email", "email", "Email must be a valid email address."})
	}
	vs = checkLength(vs, "email", email)

	// The body's id, not the path's, selects the customer whose own e-mail does not count as taken. Without it the
	// customer's own e-mail is taken; with the id of the e-mail's owner that e-mail is free (F3).
	self := int64(0)
	if id := p.integer("id"); id != nil {
		self = *id
	}
	if s.isTaken(strings.Trim(email, phpSpace), self) {
		vs = append(vs, violation{"email", "exist", "Email already exists."})
	}
	return vs
}

func (s *Store) isTaken(email string, self int64) bool {
	for id, row := range s.customers {
		if (self == 0 || id != self) && strings.EqualFold(row.Email, email) {
			return true
		}
	}
	return false
}

func checkText(vs violations, field, value string) violations {
	if isCleanText(value) {
		return vs
	}
	return append(vs, violation{field, "sanitizeText", "The " + field + " must be a valid text"})
}

func checkLength(vs violations, field, value string) violations {
	if utf8.RuneCountInString(value) <= maxLength {
		return vs
	}
	return append(vs, violation{field, "maxLength", "The " + field + " must not be greater than 255 characters."})
}

func isBlank(s string) bool {
	return strings.Trim(s, phpSpace) == ""
}

// violation is one rule that one field breaks.
type violation struct {
	field, rule, message string
}

// violations are the body of a 422: {field: {rule: message}}, in the order of the rules (F5).
type violations []violation

// MarshalJSON writes the fields in the order in which they were checked; a map would sort them.
func (vs violations) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	for i, v := range vs {
		switch {
		case i == 0:
			b.WriteByte('{')
		case v.field != vs[i-1].field:
			b.WriteString("},")
		default:
			b.WriteByte(',')
		}
		if i == 0 || v.field != vs[i-1].field {
			writeJSONString(&b, v.field)
			b.WriteString(":{")
		}
		writeJSONString(&b, v.rule)
		b.WriteByte(':')
		writeJSONString(&b, v.message)
	}
	b.WriteString("}}")
	return b.Bytes(), nil
}

func writeJSONString(b *bytes.Buffer, s string) {
	quoted, _ := json.Marshal(s) // marshalling a string cannot fail
	b.Write(quoted)
}

var emailAddress = regexp.MustCompile(
	"^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\\.)+" +
		"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?$")

// isEmail is WordPress's is_email: no outer space, no quotes, letters of ASCII, a dot in the domain.
func isEmail(s string) bool {
	const shortest = 6 // a@b.co
	return len(s) >= shortest && emailAddress.MatchString(s)
}
