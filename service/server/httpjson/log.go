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

// logRefusal writes the line of a request that is no call. It says what was wrong, and not what was sent.
func (d *jsonDoor) logRefusal(r *http.Request, httpStatus int, rejection *apierror.Error) {
	attributes := []slog.Attr{
		slog.String("http_method", loggableMethod(r.Method)),
		slog.Int("http_status", httpStatus),
		interceptor.From(r.RemoteAddr),
	}
	if fields := d.loggable(rejection); len(fields) > 0 {
		attributes = append(attributes, slog.Any("fields", fields))
	}
	d.log.Request(r.Context(), r.Header.Get(interceptor.RequestIDHeader), rejection.Info().GetReason(), attributes...)
}

// loggableMethod returns one of the usual methods. Any other may be any word.
func loggableMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions, http.MethodTrace, http.MethodConnect:
		return method
	}
	return "(other)"
}

// loggable returns the names of the violated fields. A name that is not the gateway's own was made up by the caller,
// who may have put anything into it.
func (d *jsonDoor) loggable(rejection *apierror.Error) []string {
	var names []string
	for _, detail := range rejection.GRPCStatus().Details() {
		badRequest, ok := detail.(*errdetails.BadRequest)
		if !ok {
			continue
		}
		for _, v := range badRequest.GetFieldViolations() {
			name := v.GetField()
			if !d.ownNames[name] {
				name = "request"
			}
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// ownNames are the names of fields that this door gives: those of the contract, and its own.
func ownNames(file protoreflect.FileDescriptor) map[string]bool {
	names := map[string]bool{"body": true, "query": true, "Grpc-Timeout": true, "Content-Encoding": true}
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
