package httpjson

import (
	"context"
	"log/slog"
	"net/http"

	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server/interceptor"
)

// invalid returns the error for a request with one violation.
func invalid(field, description string) *apierror.Error {
	return apierror.Invalid(apierror.Violation{Field: field, Description: description})
}

// reject answers a request that does not become a call, and logs it: the access log has only calls.
func (g *gateway) reject(w http.ResponseWriter, r *http.Request, rejection *apierror.Error) {
	httpStatus, _ := apierror.HTTPStatus(rejection.GRPCStatus())
	g.rejectAs(w, r, httpStatus, rejection)
}

// rejectCall answers a request that has passed Authenticate. If its path and method are served, it is logged and counted as a
// call, as gRPC does with a request that cannot be decoded.
func (g *gateway) rejectCall(w http.ResponseWriter, r *http.Request, rejection *apierror.Error) {
	httpStatus, _ := apierror.HTTPStatus(rejection.GRPCStatus())
	g.rejectCallAs(w, r, httpStatus, rejection)
}

// rejectCallAs is rejectCall with an HTTP status that is more exact than that of the reason.
func (g *gateway) rejectCallAs(w http.ResponseWriter, r *http.Request, httpStatus int, rejection *apierror.Error) {
	route := g.routes.find(r.Method, r.URL.Path)
	if route == nil {
		g.rejectAs(w, r, httpStatus, rejection)
		return
	}
	interceptor.SetRejection(trace.SpanFromContext(r.Context()), rejection)
	_, err := g.chain(r.Context(), nil, &grpc.UnaryServerInfo{FullMethod: route.call}, func(context.Context, any) (any, error) {
		return nil, rejection
	})
	if another, ok := err.(*apierror.Error); ok && another != rejection { //nolint:errorlint // interceptors wrap none
		g.writeError(w, another)
		return
	}
	g.write(w, httpStatus, rejection.GRPCStatus())
}

// rejectAs rejects with an HTTP status that is more exact than that of the reason.
func (g *gateway) rejectAs(w http.ResponseWriter, r *http.Request, httpStatus int, rejection *apierror.Error) {
	interceptor.SetRejection(trace.SpanFromContext(r.Context()), rejection)
	g.rejections.Request(r.Context(), r.Header.Get(interceptor.RequestIDHeader), rejection,
		slog.String("http_method", loggableMethod(r.Method)), slog.Int("http_status", httpStatus), interceptor.PeerAttr(r.RemoteAddr))
	g.write(w, httpStatus, rejection.GRPCStatus())
}

// loggableMethod returns one of the usual methods. Any other could be any word.
func loggableMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions, http.MethodTrace, http.MethodConnect:
		return method
	}
	return "(other)"
}
