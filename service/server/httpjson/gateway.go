// Package httpjson is the HTTP/JSON gateway: it turns HTTP requests into calls of the contract, which pass the same
// interceptors as gRPC calls, in process.
package httpjson

import (
	"context"
	"log"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server/connlimit"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server/interceptor"
)

// Config is what the gateway needs.
type Config struct {
	Customers  customerv1.CustomerServiceServer
	Callers    auth.Authenticator
	Entrance   *interceptor.Entrance
	Chain      grpc.UnaryServerInterceptor // each call passes it
	Rejections *interceptor.RejectionLog
	Logger     *slog.Logger
	Docs       *http.ServeMux // public pages; nil is none
	Tracer     trace.Tracer   // starts the spans of requests; nil traces nothing
}

// gateway handles what grpc-gateway does not: the bounds on requests, rejections, and error responses.
type gateway struct {
	entrance   *interceptor.Entrance
	chain      grpc.UnaryServerInterceptor
	challenge  string // WWW-Authenticate, of the callers
	rejections *interceptor.RejectionLog
	logger     *slog.Logger
	tracer     trace.Tracer

	routes         routes
	origins        http.CrossOriginProtection
	anyoneCalls    bool // callers accepts everyone
	noSuchPath     *apierror.Error
	otherOrigin    *apierror.Error
	otherName      *apierror.Error
	customerExists *apierror.Error
	fault          *apierror.Error
	faultContent   []byte // fault as JSON
	overloaded     atomic.Pointer[preparedResponse]
}

func newGateway(cfg Config) (*gateway, error) {
	contract := customerv1.File_fluentcart_customer_v1_customer_service_proto
	_, anyone := cfg.Callers.(auth.Anyone)
	g := &gateway{
		entrance: cfg.Entrance, chain: cfg.Chain, challenge: cfg.Callers.Challenge(), rejections: cfg.Rejections, tracer: cfg.Tracer,
		logger: cfg.Logger.With(slog.String("transport", interceptor.HTTP)),
		routes: routesOf(contract), anyoneCalls: anyone,
		otherOrigin:    apierror.New(apierror.OriginRefused, apierror.NotSent, "web pages of other origins may not call; nothing was written"),
		otherName:      apierror.New(apierror.OriginRefused, apierror.NotSent, "a browser may call this gateway as localhost, 127.0.0.1 or [::1] only; nothing was written"),
		customerExists: apierror.New(apierror.EtagMismatch, apierror.NotSent, "If-None-Match: * asks to write only if there is no such customer, and only customers that exist are updated; nothing was written; leave the header out"),
		fault:          apierror.Fault(),
	}
	g.noSuchPath = apierror.New(apierror.NoSuchPath, apierror.NotSent, "no such path; there are "+g.routes.String())
	var err error
	g.faultContent, err = appendMessage(nil, g.fault.GRPCStatus().Proto().ProtoReflect())
	return g, err
}

// NewServer returns the server of the gateway. It listens on nothing yet.
func NewServer(cfg Config) (*http.Server, error) {
	g, err := newGateway(cfg)
	if err != nil {
		return nil, err
	}
	mux := runtime.NewServeMux(
		runtime.WithMarshalerOption(runtime.MIMEWildcard, &marshaler{}),
		runtime.WithMiddlewares(g.strictPath, g.strictQuery),
		runtime.WithIncomingHeaderMatcher(noHeader),
		runtime.WithOutgoingHeaderMatcher(noHeader),
		runtime.WithOutgoingTrailerMatcher(noHeader),
		runtime.WithForwardResponseOption(setETag),
		runtime.WithErrorHandler(g.callFailed),
		runtime.WithRoutingErrorHandler(g.routeNotFound),
		runtime.WithDisableHTTPMethodOverride(), // a POST is a POST, whatever a header says
		runtime.WithDisablePathLengthFallback(),
		runtime.WithWriteContentLength(),
	)
	calls := newChannel(cfg.Chain)
	customerv1.RegisterCustomerServiceServer(calls, cfg.Customers)
	// RegisterCustomerServiceHandlerServer would bypass the interceptors, so the gateway is a client of the channel.
	if err := customerv1.RegisterCustomerServiceHandlerClient(context.Background(), mux, customerv1.NewCustomerServiceClient(calls)); err != nil {
		return nil, err
	}
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	return &http.Server{
		Handler:           g.recovering(withDocs(cfg.Docs, g.bounded(mux))),
		Protocols:         &protocols,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       connlimit.RequestTimeout,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    connlimit.MaxHeader,

		DisableGeneralOptionsHandler: true, // it answers OPTIONS * without authentication
		ErrorLog:                     log.New(cfg.Rejections, "", 0),
	}, nil
}

// noHeader lets no header become metadata, and no metadata a header: the gateway sets its own headers. grpc-gateway itself
// reads Grpc-Timeout and adds X-Forwarded-For and X-Forwarded-Host, which the channel drops.
func noHeader(string) (string, bool) { return "", false }
