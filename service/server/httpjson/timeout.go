package httpjson

import (
	"net/http"
	"regexp"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
)

// grpcTimeout is the format of a timeout in gRPC over HTTP/2, without those of zero: gRPC takes zero as a deadline that has
// passed, and grpc-gateway as no timeout.
var grpcTimeout = regexp.MustCompile(`^0*[1-9][0-9]*[HMSmun]$`)

// maxTimeoutLength is eight digits and a unit.
const maxTimeoutLength = 9

// checkTimeout returns the rejection of a request whose Grpc-Timeout is malformed, zero or repeated, or nil. grpc-gateway
// takes a timeout that is too long for a time.Duration as the longest one, as grpc-go does.
func checkTimeout(r *http.Request) *apierror.Error {
	values := r.Header["Grpc-Timeout"]
	switch {
	case len(values) == 0:
		return nil
	case len(values) > 1:
		return invalid("Grpc-Timeout", "is given more than once")
	case len(values[0]) > maxTimeoutLength || !grpcTimeout.MatchString(values[0]):
		return invalid("Grpc-Timeout", "must be a number above 0 of up to 8 digits with a unit, such as 500m (milliseconds), 5S or 1M (minutes)")
	}
	return nil
}
