package httpjson

import (
	"log/slog"
	"net/http"
	"slices"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/reflect/protoreflect"

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

// rejectAs rejects with an HTTP status that is more exact than that of the reason.
func (g *gateway) rejectAs(w http.ResponseWriter, r *http.Request, httpStatus int, rejection *apierror.Error) {
	attributes := []slog.Attr{
		slog.String("http_method", loggableMethod(r.Method)),
		slog.Int("http_status", httpStatus),
		interceptor.HostAttr(r.RemoteAddr),
	}
	if fields := g.loggableFields(rejection); len(fields) > 0 {
		attributes = append(attributes, slog.Any("fields", fields))
	}
	g.rejections.Request(r.Context(), r.Header.Get(interceptor.RequestIDHeader), rejection, attributes...)
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

// loggableFields returns the names of the violated fields for the log. A name that the gateway does not know was chosen by
// the caller and may be personal data, so "request" stands in its place.
func (g *gateway) loggableFields(rejection *apierror.Error) []string {
	var names []string
	for _, detail := range rejection.GRPCStatus().Details() {
		badRequest, ok := detail.(*errdetails.BadRequest)
		if !ok {
			continue
		}
		for _, v := range badRequest.GetFieldViolations() {
			name := v.GetField()
			if !g.ownNames[name] {
				name = "request"
			}
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// ownNames returns the field names of violations that the gateway itself chooses: those of the contract, and its own.
func ownNames(file protoreflect.FileDescriptor) map[string]bool {
	names := map[string]bool{
		"body": true, "query": true, "Grpc-Timeout": true, "Content-Encoding": true, "If-None-Match": true, "If-Unmodified-Since": true,
	}
	for _, input := range inputsOf(file) {
		for i := range input.Fields().Len() {
			field := input.Fields().Get(i)
			names[string(field.Name())] = true
			if field.Message() == nil {
				continue
			}
			for j := range field.Message().Fields().Len() {
				names[field.Message().Fields().Get(j).JSONName()] = true
			}
		}
	}
	return names
}
