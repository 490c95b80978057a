package server

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
)

// What the doors answer by themselves. Where they refuse, nothing was sent to the store.

// The reasons in google.rpc.ErrorInfo.
const (
	reasonInvalidField          = "INVALID_FIELD"
	reasonCallerUnauthenticated = "CALLER_UNAUTHENTICATED"
	reasonCallerForbidden       = "CALLER_FORBIDDEN"
	reasonNoSuchPath            = "NO_SUCH_PATH"
	reasonMethodNotAllowed      = "METHOD_NOT_ALLOWED"
	reasonOriginRefused         = "ORIGIN_REFUSED"
	reasonRequestTooSlow        = "REQUEST_TOO_SLOW"
	reasonTooManyConnections    = "TOO_MANY_CONNECTIONS"
	reasonTooManyStreams        = "TOO_MANY_STREAMS"
	reasonConnectionClosed      = "CONNECTION_CLOSED"
	reasonStopping              = "STOPPING"
	reasonGatewayFault          = "GATEWAY_FAULT"
)

// violation is what a door has against a request, before the service sees it.
type violation struct{ field, description string }

// maxViolations bounds what is told of one request.
const maxViolations = 8

// invalidField is the status of a request that is wrong by itself; it tells what is wrong.
func invalidField(violations ...violation) *status.Status {
	if more := len(violations) - maxViolations; more > 0 {
		violations = append(slices.Clone(violations[:maxViolations]), violation{"request", fmt.Sprintf("has more faults (%d are not told)", more)})
	}
	lines := make([]string, len(violations))
	badRequest := &errdetails.BadRequest{}
	for i, v := range violations {
		lines[i] = v.field + ": " + v.description
		badRequest.FieldViolations = append(badRequest.FieldViolations,
			&errdetails.BadRequest_FieldViolation{Field: v.field, Description: v.description})
	}
	return refusal(codes.InvalidArgument, reasonInvalidField, strings.Join(lines, "; "), badRequest)
}

// refusal is the status of a request that goes no further than the door.
func refusal(code codes.Code, reason, message string, details ...protoadapt.MessageV1) *status.Status {
	return withInfo(code, reason, "not_sent", message, details...)
}

// gatewayFault is the status of a call that failed for a reason of the gateway's own.
func gatewayFault() *status.Status {
	return withInfo(codes.Internal, reasonGatewayFault, "unknown", "internal error; whether the customer was written is not known: read it before sending again")
}

func withInfo(code codes.Code, reason, writeState, message string, details ...protoadapt.MessageV1) *status.Status {
	info := &errdetails.ErrorInfo{Domain: "fluentcart-gateway", Reason: reason, Metadata: map[string]string{"write_state": writeState}}
	s, err := status.New(code, message).WithDetails(append([]protoadapt.MessageV1{info}, details...)...)
	if err != nil {
		return status.New(codes.Internal, "the error could not be written")
	}
	return s
}
