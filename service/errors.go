package service

import (
	"net/http"
	"strconv"
	"sync"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// Domain is the domain of every google.rpc.ErrorInfo of this service.
const Domain = "fluentcart-gateway"

// The reasons in google.rpc.ErrorInfo. Others are built against these names.
const (
	reasonInvalidField            = "INVALID_FIELD"
	reasonStoreRejected           = "STORE_REJECTED"
	reasonStoreValidation         = "STORE_VALIDATION"
	reasonEmailTaken              = "EMAIL_TAKEN"
	reasonUserUpdateFailed        = "WORDPRESS_USER_UPDATE_FAILED"
	reasonEmailOwned              = "EMAIL_OWNED_BY_WORDPRESS_USER"
	reasonUserLinkChangeForbidden = "USER_LINK_CHANGE_FORBIDDEN"
	reasonStatusChangeForbidden   = "STATUS_CHANGE_FORBIDDEN"
	reasonCustomerNotFound        = "CUSTOMER_NOT_FOUND"
	reasonStoreRouteMissing       = "STORE_ROUTE_MISSING"
	reasonStoreCredentials        = "STORE_CREDENTIALS_REFUSED" //nolint:gosec // a reason, not a credential
	reasonStoreUnauthenticated    = "STORE_UNAUTHENTICATED"
	reasonStoreForbidden          = "STORE_FORBIDDEN"
	reasonEtagMismatch            = "ETAG_MISMATCH"
	reasonStoreRateLimited        = "STORE_RATE_LIMITED"
	reasonStoreUnavailable        = "STORE_UNAVAILABLE"
	reasonStoreRedirects          = "STORE_REDIRECTS"
	reasonStoreTLS                = "STORE_TLS"
	reasonStoreBadAnswer          = "STORE_BAD_ANSWER"
	reasonDeadlinePassed          = "DEADLINE_PASSED"
	reasonCancelled               = "CALLER_CANCELLED"
	reasonOutcomeUnknown          = "WRITE_OUTCOME_UNKNOWN"
	reasonOverloaded              = "OVERLOADED"
	reasonLeasesUnavailable       = "LEASES_UNAVAILABLE"
	reasonLeaseExpired            = "LEASE_EXPIRED"
	reasonGatewayFault            = "GATEWAY_FAULT"
)

// The values of write_state: what became of the write.
const (
	stateNotSent  = "not_sent" // the store was not asked to write
	stateRejected = "rejected" // the store was asked, and said no
	stateUnknown  = "unknown"  // the store may have written, or may still write (F22)
)

// row is a line of the error table. All codes but DEADLINE_EXCEEDED, UNKNOWN, CANCELLED and INTERNAL promise that
// nothing was written.
type row struct {
	code codes.Code
	http int // the status on the JSON door
}

// table is the error table, in the one place where errors become statuses. WRITE_OUTCOME_UNKNOWN is
// DEADLINE_EXCEEDED and 504 where the caller's time has passed.
var table = map[string]row{
	reasonInvalidField:            {codes.InvalidArgument, http.StatusBadRequest},
	reasonStoreRejected:           {codes.InvalidArgument, http.StatusBadRequest},
	reasonStoreValidation:         {codes.InvalidArgument, http.StatusBadRequest},
	reasonEmailTaken:              {codes.AlreadyExists, http.StatusConflict},
	reasonUserUpdateFailed:        {codes.FailedPrecondition, http.StatusLocked},
	reasonEmailOwned:              {codes.FailedPrecondition, http.StatusBadRequest},
	reasonUserLinkChangeForbidden: {codes.PermissionDenied, http.StatusForbidden},
	reasonStatusChangeForbidden:   {codes.PermissionDenied, http.StatusForbidden},
	reasonCustomerNotFound:        {codes.NotFound, http.StatusNotFound},
	reasonStoreRouteMissing:       {codes.FailedPrecondition, http.StatusBadGateway},
	reasonStoreCredentials:        {codes.Internal, http.StatusBadGateway},
	reasonStoreUnauthenticated:    {codes.Unauthenticated, http.StatusUnauthorized},
	reasonStoreForbidden:          {codes.PermissionDenied, http.StatusForbidden},
	reasonEtagMismatch:            {codes.Aborted, http.StatusPreconditionFailed},
	reasonStoreRateLimited:        {codes.ResourceExhausted, http.StatusTooManyRequests},
	reasonStoreUnavailable:        {codes.Unavailable, http.StatusServiceUnavailable},
	reasonStoreRedirects:          {codes.Internal, http.StatusBadGateway},
	reasonStoreTLS:                {codes.Internal, http.StatusBadGateway},
	reasonStoreBadAnswer:          {codes.Internal, http.StatusBadGateway},
	reasonDeadlinePassed:          {codes.DeadlineExceeded, http.StatusGatewayTimeout},
	reasonCancelled:               {codes.Canceled, 499}, // as nginx has it: nobody is there to read it
	reasonOutcomeUnknown:          {codes.Unknown, http.StatusBadGateway},
	reasonOverloaded:              {codes.ResourceExhausted, http.StatusTooManyRequests},
	reasonLeasesUnavailable:       {codes.Unavailable, http.StatusServiceUnavailable},
	reasonLeaseExpired:            {codes.Unavailable, http.StatusServiceUnavailable},
	reasonGatewayFault:            {codes.Internal, http.StatusInternalServerError},
}

// HTTPStatus returns the status on the JSON door of an error of this service, and whether it is one.
func HTTPStatus(s *status.Status) (int, bool) {
	for _, detail := range s.Details() {
		info, ok := detail.(*errdetails.ErrorInfo)
		if !ok || info.GetDomain() != Domain {
			continue
		}
		if s.Code() == codes.DeadlineExceeded {
			return http.StatusGatewayTimeout, true
		}
		line, known := table[info.GetReason()]
		return line.http, known
	}
	return 0, false
}

// Error is an error of this service. To gRPC it is the status for the caller; its text is for the log and holds
// the cause as well.
type Error struct {
	code     codes.Code
	message  string
	info     *errdetails.ErrorInfo
	details  []protoadapt.MessageV1
	upstream error

	build sync.Once // interceptors ask for the status again and again
	built *status.Status
}

func newError(reason, state, message string, cause error, details ...protoadapt.MessageV1) *Error {
	return &Error{
		code:     table[reason].code,
		message:  message,
		info:     &errdetails.ErrorInfo{Domain: Domain, Reason: reason, Metadata: map[string]string{"write_state": state}},
		details:  details,
		upstream: cause,
	}
}

// upstream is newError for what the store answered.
func upstream(reason, state, message string, failure *fluentcart.Error, details ...protoadapt.MessageV1) *Error {
	e := newError(reason, state, message, failure, details...)
	if failure.Status != 0 {
		e.info.Metadata["upstream_status"] = strconv.Itoa(failure.Status)
	}
	if failure.Code != "" {
		e.info.Metadata["upstream_code"] = failure.Code
	}
	return e
}

// Error returns one line for the log: the reason, and the cause if there is one.
func (e *Error) Error() string {
	if e.upstream == nil {
		return e.info.GetReason()
	}
	return e.info.GetReason() + ": " + e.upstream.Error()
}

// Unwrap returns what the store answered, or the context's error.
func (e *Error) Unwrap() error { return e.upstream }

// Info is the reason, and what became of the write.
func (e *Error) Info() *errdetails.ErrorInfo { return e.info }

// GRPCStatus is what the caller gets.
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
