// Package apierror holds the gateway's one error table: the reasons with their gRPC codes and HTTP statuses, the write
// states, and the details that an error carries. The service and both transports make their errors here.
package apierror

import (
	"errors"
	"slices"
	"strconv"
	"sync"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"
)

// Error is an error of the gateway. The caller gets its gRPC status. Its text is for the log, and holds the cause as well.
// It is safe for concurrent use after CausedBy, LimitedBy, Upstream and DeadlineExceeded, which change it.
type Error struct {
	code    codes.Code
	message string
	info    *errdetails.ErrorInfo
	details []protoadapt.MessageV1
	cause   error
	limit   Limit

	build sync.Once // interceptors ask for the status several times a call
	built *status.Status
}

// New returns an error with a reason of the table. The message is fixed text: it never repeats what the store sent.
func New(reason Reason, state WriteState, message string, details ...protoadapt.MessageV1) *Error {
	return &Error{
		code:    table[reason].code,
		message: message,
		info:    &errdetails.ErrorInfo{Domain: Domain, Reason: string(reason), Metadata: map[string]string{"write_state": string(state)}},
		details: details,
	}
}

// Invalid returns the error for a request that is wrong in itself. It lists all violations.
func Invalid(violations ...Violation) *Error {
	return New(InvalidField, NotSent, Summary(violations), BadRequest(violations))
}

// Fault returns the error for a failure of the gateway itself while a write may be in flight.
func Fault() *Error {
	return New(GatewayFault, Unknown, "internal error; whether the customer was written is not known: read it before sending again")
}

// CausedBy sets the cause, which is for the log only, and returns the error.
func (e *Error) CausedBy(cause error) *Error {
	e.cause = cause
	return e
}

// LimitedBy sets the limit because of which a call was rejected, and returns the error.
func (e *Error) LimitedBy(limit Limit) *Error {
	e.limit = limit
	return e
}

// Limit returns the limit because of which a call was rejected, or an empty one.
func (e *Error) Limit() Limit { return e.limit }

// Upstream sets what the store answered: its HTTP status (0 for none) and the code in its body (empty for none).
func (e *Error) Upstream(httpStatus int, code string) *Error {
	if httpStatus != 0 {
		e.info.Metadata["upstream_status"] = strconv.Itoa(httpStatus)
	}
	if code != "" {
		e.info.Metadata["upstream_code"] = code
	}
	return e
}

// DeadlineExceeded changes the code to DEADLINE_EXCEEDED: the caller's deadline passed before the outcome was known.
func (e *Error) DeadlineExceeded() *Error {
	e.code = codes.DeadlineExceeded
	return e
}

// Error returns one line for the log: the reason, and the cause if there is one.
func (e *Error) Error() string {
	if e.cause == nil {
		return e.info.GetReason()
	}
	return e.info.GetReason() + ": " + e.cause.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// Reason returns the reason.
func (e *Error) Reason() Reason { return Reason(e.info.GetReason()) }

// Fields returns the names of the fields at fault, for the log. A name that the gateway does not know was chosen by the caller,
// and may be personal data: "request" stands in its place.
func (e *Error) Fields() []string {
	var names []string
	for _, detail := range e.details {
		badRequest, ok := detail.(*errdetails.BadRequest)
		if !ok {
			continue
		}
		for _, violation := range badRequest.GetFieldViolations() {
			name := violation.GetField()
			if isQuoted(name) {
				name = "request"
			}
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// Message returns the text for the caller.
func (e *Error) Message() string { return e.message }

// Info returns the reason and the metadata.
func (e *Error) Info() *errdetails.ErrorInfo { return e.info }

// State returns what happened to the write.
func (e *Error) State() WriteState { return StateOf(e.info) }

// GRPCStatus returns the status for the caller.
func (e *Error) GRPCStatus() *status.Status {
	e.build.Do(func() {
		e.built = status.New(e.code, e.message)
		details := append([]protoadapt.MessageV1{e.info}, e.details...)
		if detailed, err := e.built.WithDetails(details...); err == nil {
			e.built = detailed
		}
	})
	return e.built
}

// InfoOfError returns the ErrorInfo of any error, or nil if it has none. Only for an [Error] no status is built.
func InfoOfError(err error) *errdetails.ErrorInfo {
	if own, ok := errors.AsType[*Error](err); ok {
		return own.info
	}
	return infoOf(status.Convert(err))
}

// minRetryDelay is the shortest time after which a caller is asked to come back.
const minRetryDelay = time.Second

// RetryInfo returns the detail that says when to try again: after the delay, at least after a second.
func RetryInfo(delay time.Duration) *errdetails.RetryInfo {
	return &errdetails.RetryInfo{RetryDelay: durationpb.New(max(delay, minRetryDelay))}
}
