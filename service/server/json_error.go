package server

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

	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
)

// jsonDoor answers with errors: those of the calls, and its own.
type jsonDoor struct {
	httpStatus func(*status.Status) (int, bool)
	routes     routes
	origins    http.CrossOriginProtection
	ownNames   map[string]bool
	callers    auth.Authenticator
	challenge  string // of callers
	open       bool   // everybody may call
	log        *refusalLog
	logger     *slog.Logger
}

// callFailed answers with the status of a call. What has no ErrorInfo did not come from the service: it is
// grpc-gateway's complaint about the request, with the decoder's violations behind it. Its own words are not passed on:
// they quote what they are about.
func (d *jsonDoor) callFailed(ctx context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, r *http.Request, err error) {
	s := status.Convert(err)
	httpStatus, known := d.httpStatus(s)
	switch {
	case known:
		d.answer(w, httpStatus, s)
	case errorInfo(s) != nil: // an interceptor's word
		d.answer(w, runtime.HTTPStatusFromCode(s.Code()), s)
	case s.Code() == codes.InvalidArgument:
		violations := []violation{{"request", "cannot be read"}}
		if read, ok := r.Body.(*body); ok && len(read.violations) > 0 {
			violations = read.violations
		}
		d.refuse(w, r, http.StatusBadRequest, violations...)
	default:
		d.logger.LogAttrs(ctx, slog.LevelError, "a call could not be answered",
			slog.String("request_id", r.Header.Get(requestIDHeader)), slog.String("code", s.Code().String()), slog.String("type", fmt.Sprintf("%T", err)))
		d.answer(w, http.StatusInternalServerError, gatewayFault())
	}
}

// refuse answers to a request that is wrong by itself; nothing was sent.
func (d *jsonDoor) refuse(w http.ResponseWriter, r *http.Request, httpStatus int, violations ...violation) {
	d.turnAway(w, r, httpStatus, invalidField(violations...))
}

// turnAway answers to a request that is no call, and for which the calls' own log has no line.
func (d *jsonDoor) turnAway(w http.ResponseWriter, r *http.Request, httpStatus int, s *status.Status) {
	d.logRefusal(r, httpStatus, s)
	d.answer(w, httpStatus, s)
}

// noRoute answers to a path or method that is not served, and says what is.
func (d *jsonDoor) noRoute(_ context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, r *http.Request, _ int) {
	if methods := d.routes.methods(r.URL.Path); len(methods) > 0 {
		w.Header().Set("Allow", strings.Join(methods, ", "))
		d.turnAway(w, r, http.StatusMethodNotAllowed,
			refusal(codes.Unimplemented, reasonMethodNotAllowed, "the methods here are "+strings.Join(methods, " and ")))
		return
	}
	d.turnAway(w, r, http.StatusNotFound, refusal(codes.NotFound, reasonNoSuchPath, "no such path; there are "+d.routes.String()))
}

// answer writes a google.rpc.Status.
func (d *jsonDoor) answer(w http.ResponseWriter, httpStatus int, s *status.Status) {
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
