package service

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease"
)

// What the gateway refuses by itself. Nothing was sent to the store but, at most, the read.

// notPlainText says what the store wants in names and city (F10).
const notPlainText = "must be plain text: no line breaks, tabs, runs of spaces, HTML tags, or % with two hexadecimal digits"

// invalid refuses a request that is wrong by itself; it tells all that is wrong.
func invalid(violations []violation) error {
	return newError(reasonInvalidField, stateNotSent, summary(violations), nil, badRequest(violations))
}

// predictedRefusal is what the store would answer to a request that is only to be validated.
func predictedRefusal(violations []violation) error {
	return newError(reasonStoreValidation, stateNotSent, "the store would refuse the update: "+summary(violations), nil, badRequest(violations))
}

func etagMismatch() error {
	return newError(reasonEtagMismatch, stateNotSent,
		"the customer was changed since this etag was read; read it again, and send the update with the new etag", nil)
}

func userLinkForbidden(linked int64) error {
	has := "is linked to no WordPress user"
	if linked > 0 {
		has = fmt.Sprintf("is linked to WordPress user %d", linked)
	}
	return newError(reasonUserLinkChangeForbidden, stateNotSent, fmt.Sprintf(
		"user_id: the customer %s, and this caller may not change that; send %d or leave user_id out (the operator can allow it, with --allow-user-link or to this caller alone)",
		has, linked), nil)
}

// userLinkUnread is userLinkForbidden where the customer is not read. It must not advise to leave user_id out: the
// store then clears the link (F2).
func userLinkUnread() error {
	return newError(reasonUserLinkChangeForbidden, stateNotSent,
		"user_id: this gateway runs with --write-mode=replace and does not read the customer, so it cannot tell whether this changes the link to a WordPress user; "+
			"a user_id other than 0 is refused unless the operator allows it with --allow-user-link, and an update without a user_id, or with 0, unlinks the customer", nil)
}

func statusForbidden() error {
	return newError(reasonStatusChangeForbidden, stateNotSent,
		"status: the customer has another one, and this caller may not change it; leave status out (the operator can allow it to this caller)", nil)
}

// statusUnread is statusForbidden where the customer is not read. There every update changes the status: without one the
// store clears it (F2).
func statusUnread() error {
	return newError(reasonStatusChangeForbidden, stateNotSent,
		"status: this gateway runs with --write-mode=replace, where each update sets or clears the status, which this caller may not (the operator can allow it to this caller)", nil)
}

func emailOwned(customer, linked int64) error {
	description := fmt.Sprintf("the customer is linked to WordPress user %d, whose e-mail the store keeps; change it in that user's WordPress profile, or leave email out", linked)
	return newError(reasonEmailOwned, stateNotSent, "email: "+description, nil, precondition("EMAIL_OWNER", customer, description))
}

// tooLate refuses what would be cut off by its own deadline.
func tooLate() error {
	return newError(reasonDeadlinePassed, stateNotSent, "the time that is left is less than the store takes of late; nothing was written", nil)
}

// overloaded refuses what would wait in vain.
func (s *Service) overloaded(why string) error {
	return newError(reasonOverloaded, stateNotSent, why+"; nothing was written", nil,
		&errdetails.RetryInfo{RetryDelay: durationpb.New(s.gate.RetryAfter())})
}

func leasesUnavailable(cause *lease.UnavailableError) error {
	message := "it cannot be known who else updates this customer, because Redis does not answer; nothing was written"
	if cause.Err == nil {
		message = "Redis has started anew, and the leases that it may have forgotten have not ended yet; nothing was written"
	}
	return newError(reasonLeasesUnavailable, stateNotSent, message, cause,
		&errdetails.RetryInfo{RetryDelay: durationpb.New(max(cause.RetryAfter, time.Second))})
}

// leaseExpired refuses to write what may have been read too long ago.
func leaseExpired(cause error) error {
	return newError(reasonLeaseExpired, stateNotSent, "waiting for the store took so long that another update of this customer may have begun; nothing was written", cause,
		&errdetails.RetryInfo{RetryDelay: durationpb.New(time.Second)})
}

// maxViolations bounds what is told of one request. gRPC sends errors in headers, in plain and once more in
// base64, and a client that takes 8 KiB of those would get a broken stream in place of the error.
const maxViolations = 8

// told returns the violations that are told, the last of which says how many are not.
func told(violations []violation) []violation {
	if len(violations) <= maxViolations {
		return violations
	}
	more := violation{"request", fmt.Sprintf("has more faults (%d are not told)", len(violations)-maxViolations)}
	return append(slices.Clone(violations[:maxViolations]), more)
}

func badRequest(violations []violation) *errdetails.BadRequest {
	detail := &errdetails.BadRequest{}
	for _, v := range told(violations) {
		detail.FieldViolations = append(detail.FieldViolations, &errdetails.BadRequest_FieldViolation{Field: v.field, Description: v.description})
	}
	return detail
}

func precondition(kind string, customer int64, description string) *errdetails.PreconditionFailure {
	return &errdetails.PreconditionFailure{Violations: []*errdetails.PreconditionFailure_Violation{{
		Type: kind, Subject: resourceName(customer), Description: description,
	}}}
}

func resourceName(customer int64) string { return fmt.Sprintf("customers/%d", customer) }

// summary puts all violations into one line, for those who see only the message.
func summary(violations []violation) string {
	violations = told(violations)
	lines := make([]string, len(violations))
	for i, v := range violations {
		lines[i] = v.field + ": " + v.description
	}
	return strings.Join(lines, "; ")
}

// likelyCause explains a 423 from what was read and asked (F8).
func likelyCause(asked *merged) string {
	full := asked.asked(fields[1])
	user := "the linked WordPress user"
	if asked.before != nil { // it is the link as it was that the store follows, not the one asked for (F12)
		linked := valueOf(asked.before.UserID)
		user = fmt.Sprintf("the linked WordPress user %d", linked)
	}
	switch slug := slugOf(full); {
	case full != "" && slug == "":
		return fmt.Sprintf("the name has no Latin letters, and the store cannot make the user name in the address (slug) of %s from it; give a name in Latin letters, or unlink the customer in WordPress", user)
	case utf8.RuneCountInString(slug) > maxSlug:
		return fmt.Sprintf("the name is too long for %s: written as a slug it has %d characters, at most %d are possible; give a shorter name", user, utf8.RuneCountInString(slug), maxSlug)
	default:
		return fmt.Sprintf("most likely %s no longer exists, and the store takes no update until, in WordPress, the customer is unlinked or linked to an existing user", user)
	}
}

// maxSlug is the length of WordPress's user_nicename column.
const maxSlug = 50

// slugOf is the part of a name that WordPress makes a slug of, near enough to explain a 423.
func slugOf(name string) string {
	var slug strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case unicode.Is(unicode.Latin, r), r >= '0' && r <= '9':
			slug.WriteRune(r) // its accents go, which does not change the length
		case (r == ' ' || r == '-') && slug.Len() > 0:
			slug.WriteByte('-')
		}
	}
	return strings.Trim(slug.String(), "-")
}

// storedBreaks is told of a field that the caller has nothing to do with.
const storedBreaks = "; the request does not name it, and the value that is stored already breaks this rule: give a right one with the update"

// violationsOf translates what a 422 says: rules, never the store's English (F5). What is not about a field that
// a caller can give is left out; the log has it.
func violationsOf(failure *fluentcart.Error, asked *merged) []violation {
	violations := make([]violation, 0, len(failure.Fields))
	for _, f := range failure.Fields {
		if !isField(f.Field) {
			continue
		}
		description := describeRule(f)
		if asked != nil && asked.stored(f.Field) {
			description += storedBreaks
		}
		violations = append(violations, violation{f.Field, description})
	}
	return violations
}

// stored reports whether the value that was sent of a field is the one that was read.
func (m *merged) stored(name string) bool {
	return m.before != nil && !m.change.named(name) && (!isName(name) || !m.change.namesName())
}

func describeRule(f fluentcart.FieldError) string {
	switch {
	case f.Rule == "required":
		return "is required by the store"
	case f.Rule == "email":
		return "must be a valid e-mail address, without spaces around it"
	case f.Rule == "exist":
		return "is in use by another customer"
	case f.Rule == "maxLength":
		return "is too long for the store"
	case f.Rule == "sanitizeText":
		return notPlainText
	case f.Message != "":
		return f.Message
	}
	return "was refused by the store"
}
