package client

import (
	"context"
	"errors"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/status"
)

// WriteOutcome is what a call did to the customer.
type WriteOutcome int

const (
	// Unknown says that the customer may have been written, or may still be written: read it before you send the update
	// again.
	Unknown WriteOutcome = iota
	// Written says that the store holds what was asked for, except for what the response's warnings report.
	Written
	// NotWritten says for certain that nothing was written, and that nothing will be.
	NotWritten
)

// String returns "unknown", "written" or "not written".
func (o WriteOutcome) String() string {
	switch o {
	case Written:
		return "written"
	case NotWritten:
		return "not written"
	default:
		return "unknown"
	}
}

// Outcome returns what an update did, by the error that it returned. For no error it is [Written]; an update with
// validate_only that succeeds has written nothing all the same.
//
// An error is [NotWritten] only if that is certain: the gateway says so in the error's details, or, on a connection with
// [DialOptions], the request has not left this process (no gateway was reachable, or the context had ended before). All
// other errors are [Unknown], whatever their code is. UNAVAILABLE may be a connection that broke after the write,
// DEADLINE_EXCEEDED and CANCELLED come from the caller's own clock, and a proxy in front of the gateway can answer with any
// code after the gateway has written. An error that holds several others, see [errors.Join], is NotWritten if all that
// come from calls are.
func Outcome(err error) WriteOutcome {
	if err == nil {
		return Written
	}
	found := false
	for failure := range failures(err) {
		if !failure.wroteNothing() {
			return Unknown
		}
		found = true
	}
	if !found {
		return Unknown
	}
	return NotWritten
}

// domain is the domain of the gateway's google.rpc.ErrorInfo.
const domain = "fluentcart-gateway"

// failure is the error of one call, within an error that may hold several.
type failure struct {
	err    error
	status *status.Status
}

// wroteNothing reports whether it is certain that the call wrote nothing.
func (f failure) wroteNothing() bool {
	if _, ok := f.err.(*unsentError); ok { //nolint:errorlint // failures has unwrapped it
		return true
	}
	state := f.info().GetMetadata()["write_state"]
	return state == "not_sent" || state == "rejected"
}

// info returns the gateway's ErrorInfo, or nil for an error of another origin.
func (f failure) info() *errdetails.ErrorInfo {
	for _, detail := range f.status.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok && info.GetDomain() == domain {
			return info
		}
	}
	return nil
}

// failures returns the failed calls in the tree of an error. A context's error without a status may be what another
// package made of a failed call.
func failures(err error) func(yield func(failure) bool) {
	return func(yield func(failure) bool) { visit(err, yield) }
}

func visit(err error, yield func(failure) bool) bool {
	if err == nil {
		return true
	}
	switch e := err.(type) { //nolint:errorlint // it unwraps the error itself
	case interface{ GRPCStatus() *status.Status }:
		return yield(failure{err, e.GRPCStatus()})
	case interface{ Unwrap() error }:
		return visit(e.Unwrap(), yield)
	case interface{ Unwrap() []error }:
		for _, part := range e.Unwrap() {
			if !visit(part, yield) {
				return false
			}
		}
		return true
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return yield(failure{err, status.FromContextError(err)})
	}
	return true
}
