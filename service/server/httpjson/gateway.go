package httpjson

import (
	"context"
	"crypto/rand"
	"errors"
	"log"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server/connlimit"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server/interceptor"
)

// grpcTimeout is how a time is written in gRPC over HTTP/2.
var grpcTimeout = regexp.MustCompile(`^[0-9]{1,8}[HMSmun]$`)

// Config is what the JSON door needs.
type Config struct {
	Customers   customerv1.CustomerServiceServer
	Callers     auth.Authenticator
	Interceptor grpc.UnaryServerInterceptor
	Rejections  *interceptor.RejectionLog
	Logger      *slog.Logger
}

// NewServer returns the JSON door.
func NewServer(cfg Config) (*http.Server, error) {
	calls := newChannel(cfg.Interceptor)
	customerv1.RegisterCustomerServiceServer(calls, cfg.Customers)

	contract := customerv1.File_fluentcart_customer_v1_customer_service_proto
	logger := cfg.Logger.With(slog.String("transport", interceptor.HTTP))
	door := &jsonDoor{
		fault:         apierror.Fault(),
		foreignOrigin: apierror.New(apierror.OriginRefused, apierror.NotSent, "web pages of other origins may not call; nothing was written"),
		foreignName:   apierror.New(apierror.OriginRefused, apierror.NotSent, "a browser may call this gateway as localhost, 127.0.0.1 or [::1] only; nothing was written"),
		routes:        routesOf(contract), ownNames: ownNames(contract), log: cfg.Rejections, logger: logger,
		callers: cfg.Callers, challenge: cfg.Callers.Challenge(), open: letsAnyoneIn(cfg.Callers),
	}
	mux := runtime.NewServeMux(
		runtime.WithMarshalerOption(runtime.MIMEWildcard, &jsonMarshaler{}),
		runtime.WithMiddlewares(strictPath(door), strictQuery(door, queryParameters(contract))),
		runtime.WithIncomingHeaderMatcher(allowedIn),
		runtime.WithOutgoingHeaderMatcher(nothing),
		runtime.WithOutgoingTrailerMatcher(nothing),
		runtime.WithForwardResponseOption(setETag),
		runtime.WithErrorHandler(door.callFailed),
		runtime.WithRoutingErrorHandler(door.noRoute),
		runtime.WithDisableHTTPMethodOverride(), // a POST is a POST, whatever a header says
		runtime.WithDisablePathLengthFallback(),
		runtime.WithWriteContentLength(),
	)
	// Registered as a client of the in-process channel: RegisterCustomerServiceHandlerServer would pass the
	// interceptors by.
	if err := customerv1.RegisterCustomerServiceHandlerClient(context.Background(), mux, customerv1.NewCustomerServiceClient(calls)); err != nil {
		return nil, err
	}
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	return &http.Server{
		Handler:           door.recovering(door.bounded(mux)),
		Protocols:         &protocols,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       connlimit.RequestTimeout,
		WriteTimeout:      interceptor.MaxTimeout + 30*time.Second, // the longest call, and a write that runs to its outcome
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    connlimit.MaxHeader,

		DisableGeneralOptionsHandler: true, // it answers OPTIONS * to everybody
		ErrorLog:                     log.New(door.log, "", 0),
	}, nil
}

func letsAnyoneIn(callers auth.Authenticator) bool {
	_, anyone := callers.(auth.Anyone)
	return anyone
}

// allowedIn is the list of headers that become metadata. grpc-gateway itself reads Grpc-Timeout, and adds Authorization,
// and as X-Forwarded-For and X-Forwarded-Host where the request came from and went to, which knownMetadata drops.
func allowedIn(header string) (string, bool) {
	return interceptor.RequestIDKey, header == interceptor.RequestIDHeader
}

// nothing of the metadata becomes a header: the door sets its own.
func nothing(string) (string, bool) { return "", false }

// bounded names the call, and reads its body within the bound, before anything else looks at it.
func (d *jsonDoor) bounded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := rand.Text()
		if given := r.Header.Values(interceptor.RequestIDHeader); len(given) == 1 && interceptor.ValidRequestID(given[0]) {
			id = given[0]
		}
		r.Header.Set(interceptor.RequestIDHeader, id)
		w.Header().Set(interceptor.RequestIDHeader, id)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if endsUncertainly(r) {
			w.Header().Set("Connection", "close")
		}
		if problem := d.checkBrowser(r); problem != nil {
			d.reject(w, r, problem)
			return
		}
		// The interceptors decide who may call. It is asked here too, so that a body is read of nobody else.
		if _, err := d.callers.Authenticate(presentedBy(r)); err != nil {
			w.Header().Set("Connection", "close") // rather than reading what nobody wants
			d.reject(w, r, interceptor.RejectCaller(err))
			return
		}
		if timeout := r.Header.Get("Grpc-Timeout"); timeout != "" && !grpcTimeout.MatchString(timeout) {
			d.reject(w, r, invalid("Grpc-Timeout", "must be a number of up to 8 digits with a unit, such as 500m (milliseconds), 5S or 1M (minutes)"))
			return
		}
		if encoding := r.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
			d.rejectAs(w, r, apierror.HTTPContentEncoding, invalid("Content-Encoding", "must be absent: the body is not to be compressed"))
			return
		}
		body, err := readBody(w, r)
		switch {
		case errors.Is(err, errBodyTooLarge):
			d.rejectAs(w, r, apierror.HTTPBodyTooLarge, invalid("body", err.Error()))
			return
		case err != nil:
			d.reject(w, r, invalid("body", err.Error()))
			return
		}
		r.Body = body
		if problem := ifMatchToEtag(r); problem != "" {
			d.reject(w, r, invalid("etag", problem))
			return
		}
		r = fromHost(r)
		r.Header = knownHeader(r.Header)
		next.ServeHTTP(w, r)
	})
}
