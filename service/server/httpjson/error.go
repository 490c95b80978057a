package httpjson

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server/interceptor"
)

// callFailed writes the error of a call. An error without a reason of the error table is grpc-gateway's own, about a
// request that the decoder rejected. Its text is not passed on, because it quotes the request.
func (g *gateway) callFailed(ctx context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, errNotModified) {
		w.Header().Del("Content-Type") // of the body that is not sent
		w.WriteHeader(http.StatusNotModified)
		return
	}
	s := status.Convert(err)
	if rejection, ok := errors.AsType[*apierror.Error](err); ok { // grpc-gateway wraps that of setETag
		s = rejection.GRPCStatus()
	}
	httpStatus, own := apierror.HTTPStatus(s)
	switch {
	case own:
		g.write(w, httpStatus, s)
	case s.Code() == codes.InvalidArgument:
		violations := []apierror.Violation{{Field: "request", Description: "cannot be read"}}
		if read, ok := r.Body.(*body); ok && len(read.violations) > 0 {
			violations = read.violations
		}
		g.rejectCall(w, r, apierror.Invalid(violations...))
	default:
		g.logger.LogAttrs(ctx, slog.LevelError, "a call failed without a reason",
			slog.String("request_id", r.Header.Get(interceptor.RequestIDHeader)), slog.String("code", s.Code().String()), slog.String("type", fmt.Sprintf("%T", err)))
		g.writeError(w, g.fault)
	}
}

// routeNotFound rejects a path or method that is not served, and names those that are.
func (g *gateway) routeNotFound(_ context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, r *http.Request, _ int) {
	if here := g.routes.of(r.URL.Path); len(here) > 0 {
		w.Header().Set("Allow", strings.Join(here.methods(), ", "))
		g.reject(w, r, apierror.New(apierror.MethodNotAllowed, apierror.NotSent, "the methods here are "+here.calls()))
		return
	}
	g.reject(w, r, g.noSuchPath)
}

func (g *gateway) writeError(w http.ResponseWriter, e *apierror.Error) {
	s := e.GRPCStatus()
	httpStatus, _ := apierror.HTTPStatus(s)
	g.write(w, httpStatus, s)
}

// preparedResponse is an error as an HTTP response.
type preparedResponse struct {
	of         *apierror.Error // nil for a status that is not an Error
	httpStatus int
	retryAfter string // empty for none
	challenge  string // empty for none
	length     string
	content    []byte
}

// prepare turns a status into a google.rpc.Status in JSON, with the headers that belong to it.
func (g *gateway) prepare(httpStatus int, s *status.Status) *preparedResponse {
	response := &preparedResponse{httpStatus: httpStatus}
	var err error
	if response.content, err = appendMessage(nil, s.Proto().ProtoReflect()); err != nil {
		response.httpStatus, _ = apierror.HTTPStatus(g.fault.GRPCStatus())
		response.content = g.faultContent
	}
	response.length = strconv.Itoa(len(response.content))
	for _, detail := range s.Details() {
		if retry, ok := detail.(*errdetails.RetryInfo); ok {
			seconds := math.Ceil(retry.GetRetryDelay().AsDuration().Seconds())
			response.retryAfter = strconv.FormatFloat(seconds, 'f', 0, 64)
		}
	}
	if s.Code() == codes.Unauthenticated {
		response.challenge = g.challenge
	}
	return response
}

// writeOverloaded writes a rejection that is often the same as the one before.
func (g *gateway) writeOverloaded(w http.ResponseWriter, rejection *apierror.Error) {
	response := g.overloaded.Load()
	if response == nil || response.of != rejection {
		httpStatus, _ := apierror.HTTPStatus(rejection.GRPCStatus())
		response = g.prepare(httpStatus, rejection.GRPCStatus())
		response.of = rejection
		g.overloaded.Store(response)
	}
	response.write(w)
}

func (g *gateway) write(w http.ResponseWriter, httpStatus int, s *status.Status) {
	g.prepare(httpStatus, s).write(w)
}

func (p *preparedResponse) write(w http.ResponseWriter) {
	header := w.Header()
	if p.retryAfter != "" {
		header.Set("Retry-After", p.retryAfter)
	}
	if p.challenge != "" {
		header.Set("WWW-Authenticate", p.challenge)
	}
	header.Set("Content-Type", "application/json")
	header.Set("Content-Length", p.length)
	w.WriteHeader(p.httpStatus)
	_, _ = w.Write(p.content) //nolint:gosec // JSON under nosniff, which no browser renders as a page; it fails for a caller that is gone
}
