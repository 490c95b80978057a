package customer

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"google.golang.org/genproto/googleapis/rpc/errdetails"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// notPlainText says what the store requires of names and city (F10, F28).
const notPlainText = "must be plain text: no line breaks, tabs, runs of spaces, HTML tags, < without a > behind it, or % with two hexadecimal digits"

// RefusedFields translates the fields of a 422: the store's rules, never its sentences (F5). Fields that a caller cannot
// give are left out; the log has them. m is nil if nothing was merged.
func RefusedFields(m *Merged, refused []fluentcart.FieldError) []apierror.Violation {
	violations := make([]apierror.Violation, 0, len(refused))
	for _, f := range refused {
		id, writable := fieldNamed(f.Field)
		if !writable {
			continue
		}
		if v := m.refusal(id, f.Rule); !slices.Contains(violations, v) {
			violations = append(violations, v)
		}
	}
	return violations
}

// refusal returns the violation of a rule of the store. If the value is the stored one, which the caller may not even know,
// the violation says so. m may be nil.
func (m *Merged) refusal(id fieldID, rule string) apierror.Violation {
	v := apierror.Violation{Field: fields[id].name, Description: ruleText(rule)}
	if !m.isStored(id) {
		return v
	}
	subject := "the request does not change it"
	if !m.change.named[id] && (!id.isName() || !m.change.namesAnyName()) {
		subject = "the request does not name it"
	}
	if rule == ruleExist {
		v.Description = subject + ", and the address that is stored is in use by another customer too: give another one with the update"
	} else {
		v.Description += "; " + subject + ", and the value that is stored already breaks this rule: give a right one with the update"
	}
	return v
}

// isStored reports whether the value that was sent of a field is the one that was read.
func (m *Merged) isStored(id fieldID) bool {
	return m != nil && m.before != nil && m.asked(id) == fields[id].get(m.before)
}

// EmailTaken explains that another customer has the e-mail address, from what was read and asked. m is nil if nothing
// was merged.
func EmailTaken(m *Merged) string {
	if m.isStored(email) {
		return "email: " + m.refusal(email, ruleExist).Description
	}
	return "another customer of the store has this e-mail address"
}

// ruleExist is the rule that an e-mail address is unique.
const ruleExist = "exist"

func ruleText(rule string) string {
	switch rule {
	case "required":
		return "is required by the store"
	case "email":
		return "must be a valid e-mail address, as WordPress sees it: at least six characters, a dot in the domain, unaccented letters, no spaces around it"
	case ruleExist:
		return "is in use by another customer"
	case "maxLength":
		return "is too long for the store"
	case "sanitizeText":
		return notPlainText
	}
	return "was refused by the store"
}

// WordPressUserFailure explains a 423 from what was read and asked (F8).
func (m *Merged) WordPressUserFailure() (cause string, detail *errdetails.PreconditionFailure) {
	cause = m.likelyCause()
	return cause, precondition("WORDPRESS_USER", m.after.ID, cause)
}

func (m *Merged) likelyCause() string {
	full := m.asked(fullName).text
	user := "the linked WordPress user"
	switch {
	case m.before == nil:
	case m.LinkedUser() == 0: // not one of the measured causes
		return "the customer was linked to no WordPress user when it was read, so a plug-in or something in front of the store may have answered"
	default: // the store follows the stored link, not the one asked for (F12)
		user = fmt.Sprintf("the linked WordPress user %d", m.LinkedUser())
	}
	switch slug := slugOf(full); {
	case full != "" && slug == "":
		return fmt.Sprintf("the name has no Latin letters, and the store cannot make the user name in the address (slug) of %s from it; give a name in Latin letters, or unlink the customer in WordPress", user)
	case utf8.RuneCountInString(slug) > maxSlug:
		return fmt.Sprintf("the name is too long for %s: written as a slug it has %d characters, at most %d are possible; give a shorter name", user, utf8.RuneCountInString(slug), maxSlug)
	default:
		return fmt.Sprintf("most likely %s no longer exists, and the store accepts no update until, in WordPress, the customer is unlinked or linked to an existing user", user)
	}
}

// maxSlug is the length of WordPress's user_nicename column, in characters (F8).
const maxSlug = 50

// slugOf returns roughly the slug that WordPress makes of a name, near enough to explain a 423.
func slugOf(name string) string {
	var slug strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case unicode.Is(unicode.Latin, r), r >= '0' && r <= '9':
			slug.WriteRune(r) // WordPress drops its accents, which does not change the length
		case (r == ' ' || r == '-') && slug.Len() > 0:
			slug.WriteByte('-')
		}
	}
	return strings.Trim(slug.String(), "-")
}

func precondition(kind string, customer int64, description string) *errdetails.PreconditionFailure {
	return &errdetails.PreconditionFailure{Violations: []*errdetails.PreconditionFailure_Violation{{
		Type: kind, Subject: ResourceName(customer), Description: description,
	}}}
}

// ResourceName returns the name of a customer in error details.
func ResourceName(customer int64) string { return fmt.Sprintf("customers/%d", customer) }
