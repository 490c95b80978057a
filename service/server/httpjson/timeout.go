package httpjson

import (
	"net/http"
	"regexp"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
)

var (
	// grpcTimeout is the format of a timeout in gRPC over HTTP/2.
	grpcTimeout = regexp.MustCompile(`^[0-9]{1,8}[HMSmun]$`)
	// zeroTimeout matches a timeout of zero. gRPC over HTTP/2 takes it as a deadline that has passed; grpc-gateway would
	// take it as no timeout.
	zeroTimeout = regexp.MustCompile(`^0+[HMSmun]$`)
)

// checkTimeout returns the rejection of a request whose Grpc-Timeout is malformed or zero, or nil. grpc-gateway takes a
// timeout that is too long for a time.Duration as the longest one, as grpc-go does.
func (g *gateway) checkTimeout(r *http.Request) *apierror.Error {
	values := r.Header.Values("Grpc-Timeout")
	switch {
	case len(values) == 0:
		return nil
	case !grpcTimeout.MatchString(values[0]):
		return invalid("Grpc-Timeout", "must be a number of up to 8 digits with a unit, such as 500m (milliseconds), 5S or 1M (minutes)")
	case zeroTimeout.MatchString(values[0]):
		return g.tooLate
	}
	return nil
}
