package httpjson

import (
	"context"
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
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server/interceptor"
)

// jsonDoor answers with errors: those of the calls, and its own.
type jsonDoor struct {
	foreignOrigin, foreignName, fault *apierror.Error
	routes                            routes
	origins                           http.CrossOriginProtection
	ownNames                          map[string]bool
	callers                           auth.Authenticator
	challenge                         string // of callers
	open                              bool   // everybody may call
	log                               *interceptor.RejectionLog
	logger                            *slog.Logger
}

// callFailed answers with the status of a call. What has no ErrorInfo did not come from the service: it is
// grpc-gateway's complaint about the request, with the decoder's violations behind it. Its own words are not passed on:
// they quote what they are about.
func (d *jsonDoor) callFailed(ctx context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, r *http.Request, err error) {
	s := status.Convert(err)
	_, own := apierror.HTTPStatus(s)
	switch {
	case own:
		d.answerStatus(w, s)
	case s.Code() == codes.InvalidArgument:
		violations := []apierror.Violation{{Field: "request", Description: "cannot be read"}}
		if read, ok := r.Body.(*body); ok && len(read.violations) > 0 {
			violations = read.violations
		}
		d.reject(w, r, apierror.Invalid(violations...))
	default:
		d.logger.LogAttrs(ctx, slog.LevelError, "a call could not be answered",
			slog.String("request_id", r.Header.Get(interceptor.RequestIDHeader)), slog.String("code", s.Code().String()), slog.String("type", fmt.Sprintf("%T", err)))
		d.answer(w, d.fault)
	}
}

// invalid returns the error for a request with one violation.
func invalid(field, description string) *apierror.Error {
	return apierror.Invalid(apierror.Violation{Field: field, Description: description})
}

// reject answers to a request that does not become a call, and writes its line: the access log has none.
func (d *jsonDoor) reject(w http.ResponseWriter, r *http.Request, rejection *apierror.Error) {
	httpStatus, _ := apierror.HTTPStatus(rejection.GRPCStatus())
	d.rejectAs(w, r, httpStatus, rejection)
}

// rejectAs rejects with an HTTP status that is more exact than that of the reason.
func (d *jsonDoor) rejectAs(w http.ResponseWriter, r *http.Request, httpStatus int, rejection *apierror.Error) {
	d.logRefusal(r, httpStatus, rejection)
	d.write(w, httpStatus, rejection.GRPCStatus())
}

// noRoute answers to a path or method that is not served, and says what is.
func (d *jsonDoor) noRoute(_ context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, r *http.Request, _ int) {
	if methods := d.routes.methods(r.URL.Path); len(methods) > 0 {
		w.Header().Set("Allow", strings.Join(methods, ", "))
		d.reject(w, r, apierror.New(apierror.MethodNotAllowed, apierror.NotSent, "the methods here are "+strings.Join(methods, " and ")))
		return
	}
	d.reject(w, r, apierror.New(apierror.NoSuchPath, apierror.NotSent, "no such path; there are "+d.routes.String()))
}

// answer answers with an error.
func (d *jsonDoor) answer(w http.ResponseWriter, e *apierror.Error) {
	d.answerStatus(w, e.GRPCStatus())
}

// answerStatus answers with the status of an error of the gateway.
func (d *jsonDoor) answerStatus(w http.ResponseWriter, s *status.Status) {
	httpStatus, _ := apierror.HTTPStatus(s)
	d.write(w, httpStatus, s)
}

// write writes a google.rpc.Status.
func (d *jsonDoor) write(w http.ResponseWriter, httpStatus int, s *status.Status) {
	content, err := appendMessage(nil, s.Proto().ProtoReflect())
	if err != nil {
		httpStatus, content = http.StatusInternalServerError, []byte(`{"code":13,"message":"the error could not be written"}`)
	}
	for _, detail := range s.Details() {
		if retry, ok := detail.(*errdetails.RetryInfo); ok {
			seconds := math.Ceil(retry.GetRetryDelay().AsDuration().Seconds())
			w.Header().Set("Retry-After", strconv.FormatFloat(seconds, 'f', 0, 64))
		}
	}
	if s.Code() == codes.Unauthenticated && d.challenge != "" {
		w.Header().Set("WWW-Authenticate", d.challenge)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(content)))
	w.WriteHeader(httpStatus)
	_, _ = w.Write(content) // a caller who is gone cannot be told
}
