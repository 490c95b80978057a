package main

import (
	"slices"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
)

// outcome is how a call ended: its gRPC code, and the reason and write state of the ErrorInfo.
type outcome struct {
	Code       string `json:"code"`
	Reason     string `json:"reason,omitempty"`
	WriteState string `json:"write_state,omitempty"`
}

// The outcomes that are no statuses of the gateway.
const (
	noResponse = "NO_RESPONSE" // the client got no response, or none that it understands
	cutOff     = "CUT_OFF"     // this program ended the call, since the run had ended
	otherNotes = "OTHER_NOTES" // the reason of an OK whose customer does not have the notes of the request
)

func okOutcome(isApplied bool) outcome {
	if !isApplied {
		return outcome{Code: "OK", Reason: otherNotes}
	}
	return outcome{Code: "OK"}
}

func codeName(number int32) string { return code.Code(number).String() }

func errorOutcome(number int32, info *errdetails.ErrorInfo) outcome {
	return outcome{codeName(number), info.GetReason(), info.GetMetadata()["write_state"]}
}

// String returns what is not empty.
func (o outcome) String() string {
	return strings.Join(strings.Fields(o.Code+" "+o.Reason+" "+o.WriteState), " ")
}

// isOK reports whether the update was applied, as far as the response says.
func (o outcome) isOK() bool { return o == outcome{Code: "OK"} }

// isNotWritten reports whether the response says that the store was not written.
func (o outcome) isNotWritten() bool { return o.WriteState == "not_sent" || o.WriteState == "rejected" }

// isFailure reports whether the outcome is a failure of the run. A run that has cut off calls fails for what ended it.
func (o outcome) isFailure(allowed []string) bool {
	return !o.isOK() && o.Code != cutOff && !slices.Contains(allowed, o.Code) && (o.Reason == "" || !slices.Contains(allowed, o.Reason))
}

// isHopeless reports whether the outcome of the first call means that the others need not be sent.
func (o outcome) isHopeless() bool {
	switch o.Code {
	case noResponse, codeName(int32(code.Code_UNAUTHENTICATED)), codeName(int32(code.Code_PERMISSION_DENIED)), codeName(int32(code.Code_UNIMPLEMENTED)):
		return true
	case codeName(int32(code.Code_UNAVAILABLE)):
		return o.Reason == "" // the client could not connect
	}
	return false
}
