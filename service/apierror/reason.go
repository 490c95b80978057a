package apierror

import (
	"net/http"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Domain is the domain of every google.rpc.ErrorInfo of the gateway.
const Domain = "fluentcart-gateway"

// Reason is why a call failed, as google.rpc.ErrorInfo carries it. Programs are built against these names.
type Reason string

// The reasons that concern the request or the caller.
const (
	InvalidField            Reason = "INVALID_FIELD"
	CallerUnauthenticated   Reason = "CALLER_UNAUTHENTICATED"
	CallerForbidden         Reason = "CALLER_FORBIDDEN"
	UserLinkChangeForbidden Reason = "USER_LINK_CHANGE_FORBIDDEN"
	StatusChangeForbidden   Reason = "STATUS_CHANGE_FORBIDDEN"
	EmailOwned              Reason = "EMAIL_OWNED_BY_WORDPRESS_USER"
	EtagMismatch            Reason = "ETAG_MISMATCH"
	CallerCancelled         Reason = "CALLER_CANCELLED"
	DeadlinePassed          Reason = "DEADLINE_PASSED"
	RequestTooSlow          Reason = "REQUEST_TOO_SLOW"
	NoSuchPath              Reason = "NO_SUCH_PATH"
	MethodNotAllowed        Reason = "METHOD_NOT_ALLOWED"
	OriginRefused           Reason = "ORIGIN_REFUSED"
)

// The reasons that concern the store and its responses.
const (
	StoreRejected        Reason = "STORE_REJECTED"
	StoreValidation      Reason = "STORE_VALIDATION"
	EmailTaken           Reason = "EMAIL_TAKEN"
	UserUpdateFailed     Reason = "WORDPRESS_USER_UPDATE_FAILED"
	CustomerNotFound     Reason = "CUSTOMER_NOT_FOUND"
	StoreRouteMissing    Reason = "STORE_ROUTE_MISSING"
	StoreCredentials     Reason = "STORE_CREDENTIALS_REFUSED" //nolint:gosec // a reason, not a credential
	StoreUnauthenticated Reason = "STORE_UNAUTHENTICATED"
	StoreForbidden       Reason = "STORE_FORBIDDEN"
	StoreRateLimited     Reason = "STORE_RATE_LIMITED"
	StoreUnavailable     Reason = "STORE_UNAVAILABLE"
	StoreBlocked         Reason = "STORE_BLOCKED"
	StoreRedirects       Reason = "STORE_REDIRECTS"
	StoreTLS             Reason = "STORE_TLS"
	StoreBadAnswer       Reason = "STORE_BAD_ANSWER"
	WriteOutcomeUnknown  Reason = "WRITE_OUTCOME_UNKNOWN"
)

// The reasons that concern the gateway itself.
const (
	Overloaded         Reason = "OVERLOADED"
	LeasesUnavailable  Reason = "LEASES_UNAVAILABLE"
	LeaseExpired       Reason = "LEASE_EXPIRED"
	TooManyConnections Reason = "TOO_MANY_CONNECTIONS"
	TooManyStreams     Reason = "TOO_MANY_STREAMS"
	ConnectionClosed   Reason = "CONNECTION_CLOSED"
	Stopping           Reason = "STOPPING"
	GatewayFault       Reason = "GATEWAY_FAULT"
)

// WriteState is what happened to the write, as ErrorInfo's metadata write_state carries it.
type WriteState string

// The write states.
const (
	NotSent  WriteState = "not_sent" // the store was not asked to write
	Rejected WriteState = "rejected" // the store was asked, and refused
	Unknown  WriteState = "unknown"  // the store may have written, or may still write (F22)
)

// Limit is a limit because of which a call is rejected. Metrics and the log show it; callers get the message.
type Limit string

// The limits.
const (
	QueueLimit      Limit = "queue"      // --max-in-flight plus --max-queue
	CustomerLimit   Limit = "customer"   // updates that wait for the leases of customers
	FairShareLimit  Limit = "fair_share" // evicted for a caller below its fair share
	RateLimit       Limit = "rate"       // --store-rate
	DeadlineLimit   Limit = "deadline"   // the call would probably not end before its deadline
	UnverifiedLimit Limit = "unverified" // callers with unverified store accounts
)

// Limits returns all limits.
func Limits() []Limit {
	return []Limit{QueueLimit, CustomerLimit, FairShareLimit, RateLimit, DeadlineLimit, UnverifiedLimit}
}

// IsMisconfiguration reports whether only the operator can end the failure: a setting of the gateway, of the store, or of what
// stands in front of it is wrong.
func (r Reason) IsMisconfiguration() bool {
	switch r {
	case StoreRouteMissing, StoreCredentials, StoreBlocked, StoreRedirects, StoreTLS, StoreBadAnswer:
		return true
	}
	return false
}

// row is a line of the error table.
type row struct {
	code codes.Code
	http int
}

// statusClientClosedRequest is nginx's status for a client that did not wait for its response. Only logs and metrics show it.
const statusClientClosedRequest = 499

// table is the error table: the gRPC code and the HTTP status of each reason. Every code but DEADLINE_EXCEEDED, UNKNOWN,
// CANCELLED and INTERNAL promises that nothing was written. After [Error.DeadlineExceeded] an error is
// DEADLINE_EXCEEDED and 504, whatever its row says.
var table = map[Reason]row{
	InvalidField:            {codes.InvalidArgument, http.StatusBadRequest},
	CallerUnauthenticated:   {codes.Unauthenticated, http.StatusUnauthorized},
	CallerForbidden:         {codes.PermissionDenied, http.StatusForbidden},
	UserLinkChangeForbidden: {codes.PermissionDenied, http.StatusForbidden},
	StatusChangeForbidden:   {codes.PermissionDenied, http.StatusForbidden},
	EmailOwned:              {codes.FailedPrecondition, http.StatusBadRequest},
	EtagMismatch:            {codes.Aborted, http.StatusPreconditionFailed},
	CallerCancelled:         {codes.Canceled, statusClientClosedRequest},
	DeadlinePassed:          {codes.DeadlineExceeded, http.StatusGatewayTimeout},
	RequestTooSlow:          {codes.DeadlineExceeded, http.StatusGatewayTimeout},
	NoSuchPath:              {codes.NotFound, http.StatusNotFound},
	MethodNotAllowed:        {codes.Unimplemented, http.StatusMethodNotAllowed},
	OriginRefused:           {codes.PermissionDenied, http.StatusForbidden},

	StoreRejected:        {codes.InvalidArgument, http.StatusBadRequest},
	StoreValidation:      {codes.InvalidArgument, http.StatusBadRequest},
	EmailTaken:           {codes.AlreadyExists, http.StatusConflict},
	UserUpdateFailed:     {codes.FailedPrecondition, http.StatusLocked},
	CustomerNotFound:     {codes.NotFound, http.StatusNotFound},
	StoreRouteMissing:    {codes.FailedPrecondition, http.StatusBadGateway},
	StoreCredentials:     {codes.Internal, http.StatusBadGateway},
	StoreUnauthenticated: {codes.Unauthenticated, http.StatusUnauthorized},
	StoreForbidden:       {codes.PermissionDenied, http.StatusForbidden},
	StoreRateLimited:     {codes.ResourceExhausted, http.StatusTooManyRequests},
	StoreUnavailable:     {codes.Unavailable, http.StatusServiceUnavailable},
	StoreBlocked:         {codes.FailedPrecondition, http.StatusBadGateway},
	StoreRedirects:       {codes.Internal, http.StatusBadGateway},
	StoreTLS:             {codes.Internal, http.StatusBadGateway},
	StoreBadAnswer:       {codes.Internal, http.StatusBadGateway},
	WriteOutcomeUnknown:  {codes.Unknown, http.StatusBadGateway},

	Overloaded:         {codes.ResourceExhausted, http.StatusTooManyRequests},
	LeasesUnavailable:  {codes.Unavailable, http.StatusServiceUnavailable},
	LeaseExpired:       {codes.Unavailable, http.StatusServiceUnavailable},
	TooManyConnections: {codes.ResourceExhausted, http.StatusTooManyRequests},
	TooManyStreams:     {codes.ResourceExhausted, http.StatusTooManyRequests},
	ConnectionClosed:   {codes.Unavailable, http.StatusServiceUnavailable},
	Stopping:           {codes.Unavailable, http.StatusServiceUnavailable},
	GatewayFault:       {codes.Internal, http.StatusInternalServerError},
}

// HTTPStatus returns the HTTP status of an error of the gateway, and false for a status that is not one.
func HTTPStatus(s *status.Status) (int, bool) {
	info := infoOf(s)
	if info.GetDomain() != Domain {
		return 0, false
	}
	if s.Code() == codes.DeadlineExceeded {
		return http.StatusGatewayTimeout, true
	}
	found, known := table[Reason(info.GetReason())]
	return found.http, known
}

// The HTTP statuses of INVALID_FIELD for faults of a body that HTTP has an exact status for.
const (
	HTTPBodyTooLarge    = http.StatusRequestEntityTooLarge
	HTTPContentEncoding = http.StatusUnsupportedMediaType
)

// StateOf returns what happened to the write, and an empty state for an error that is not the gateway's.
func StateOf(info *errdetails.ErrorInfo) WriteState {
	return WriteState(info.GetMetadata()["write_state"])
}

// infoOf returns the ErrorInfo of a status, or nil.
func infoOf(s *status.Status) *errdetails.ErrorInfo {
	for _, detail := range s.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			return info
		}
	}
	return nil
}
