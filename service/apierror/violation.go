package apierror

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
)

// Violation is something wrong with one field of a request. The field has its name in the contract; a field of the
// customer stands by its own name, without a path.
type Violation struct{ Field, Description string }

// MaxViolations bounds the violations of one error. gRPC sends errors in headers, as text and again in base64, and a
// client that accepts 8 KiB of headers would get a broken stream in place of the error.
const MaxViolations = 8

// truncated returns the violations that an error lists. The last one says how many are left out.
func truncated(violations []Violation) []Violation {
	if len(violations) <= MaxViolations {
		return violations
	}
	more := Violation{"request", fmt.Sprintf("has more faults (%d are not listed)", len(violations)-MaxViolations)}
	return append(slices.Clone(violations[:MaxViolations]), more)
}

// BadRequest returns the detail that lists the violations.
func BadRequest(violations []Violation) *errdetails.BadRequest {
	detail := &errdetails.BadRequest{}
	for _, v := range truncated(violations) {
		detail.FieldViolations = append(detail.FieldViolations, &errdetails.BadRequest_FieldViolation{Field: v.Field, Description: v.Description})
	}
	return detail
}

// Summary returns the violations in one line, for readers who see only the message.
func Summary(violations []Violation) string {
	violations = truncated(violations)
	lines := make([]string, len(violations))
	for i, v := range violations {
		lines[i] = v.Field + ": " + v.Description
	}
	return strings.Join(lines, "; ")
}

// maxQuotedName is the length of the longest name that an error repeats, in bytes.
const maxQuotedName = 40

// nameLetters are the characters of field names, of paths to fields, and of query parameters.
const nameLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.*[]"

// QuoteName returns a name of the request for an error text, if it looks like a name. Anything else may be a value that
// was put there by mistake, such as an e-mail address, and is described by its length only.
func QuoteName(name string) string {
	if len(name) > maxQuotedName || strings.Trim(name, nameLetters) != "" {
		return fmt.Sprintf("a name of %d bytes", len(name))
	}
	return strconv.Quote(name)
}

// isQuoted reports whether a name comes from QuoteName. Names of the contract have neither quotes nor spaces.
func isQuoted(name string) bool { return strings.ContainsAny(name, `" `) }
