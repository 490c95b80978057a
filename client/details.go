package client

import (
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
)

// Reason returns the gateway's name of an error, such as "ETAG_MISMATCH", and "" for an error that the gateway did not
// make. docs/errors.md in the gateway's repository lists the reasons.
func Reason(err error) string {
	for failure := range failures(err) {
		if info := failure.info(); info != nil {
			return info.GetReason()
		}
	}
	return ""
}

// Violations returns what is wrong with the request: a sentence for each field that has a fault, by the field's name in
// the contract, such as "city". Several faults of one field are joined by "; ". The result is nil for an error that is not
// about fields.
func Violations(err error) map[string]string {
	var violations map[string]string
	for _, detail := range details(err) {
		request, ok := detail.(*errdetails.BadRequest)
		if !ok {
			continue
		}
		for _, violation := range request.GetFieldViolations() {
			if violations == nil {
				violations = map[string]string{}
			}
			field, description := violation.GetField(), violation.GetDescription()
			if before := violations[field]; before != "" {
				description = before + "; " + description
			}
			violations[field] = description
		}
	}
	return violations
}

// RetryAfter returns how long the gateway asks to wait before another attempt, and 0 if it does not ask for one.
func RetryAfter(err error) time.Duration {
	for _, detail := range details(err) {
		if retry, ok := detail.(*errdetails.RetryInfo); ok {
			return retry.GetRetryDelay().AsDuration()
		}
	}
	return 0
}

// details returns the details of the first error of the gateway.
func details(err error) []any {
	for failure := range failures(err) {
		if failure.info() != nil {
			return failure.status.Details()
		}
	}
	return nil
}
