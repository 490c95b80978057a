package httpjson

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server/connlimit"
)

// body is a request's body, read in full. The decoder leaves in it what it has against it, for the error handler:
// the generated code in between passes on a text only.
type body struct {
	bytes.Reader
	violations []apierror.Violation
}

// Close does nothing; the body has been read.
func (b *body) Close() error { return nil }

// maxBody bounds a JSON body. JSON may write a byte as six (\u000a), and what it says may have 64 KiB.
const maxBody = 6 * 64 << 10

// The faults of a body, as violations describe them.
var (
	errBodyTooLarge = fmt.Errorf("must be at most %d bytes", maxBody)
	errBodyCut      = errors.New("could not be read to its end")
)

// readBody reads a body of at most maxBody bytes.
func readBody(w http.ResponseWriter, r *http.Request) (*body, error) {
	if r.ContentLength > maxBody {
		w.Header().Set("Connection", "close") // rather than reading what nobody wants
		return nil, errBodyTooLarge
	}
	held := connlimit.CountBody(r.Context(), r.Body)
	defer held.Close() //nolint:errcheck // it does not fail
	content, err := io.ReadAll(http.MaxBytesReader(w, held, maxBody))
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		w.Header().Set("Connection", "close") // as above
		return nil, errBodyTooLarge
	case err != nil:
		return nil, errBodyCut
	}
	read := &body{}
	read.Reset(content)
	return read, nil
}

// endsUncertainly reports whether a server in front may see another end of a request than this one does: net/http takes
// chunks though there is a Content-Length, or a Content-Length though HTTP/1.0 knows no chunks, and says neither. What
// follows on the connection must not be taken for another request (RFC 9112, 6.1).
func endsUncertainly(r *http.Request) bool {
	return len(r.TransferEncoding) > 0 || !r.ProtoAtLeast(1, 1)
}

// strictPath refuses an id in the path that is not written as a plain number: the parser behind it also takes
// 0x10, 01 and 1_000, and the store would read 12abc as 12 (F17).
func strictPath(door *jsonDoor) runtime.Middleware {
	return func(next runtime.HandlerFunc) runtime.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request, pathParams map[string]string) {
			for name, value := range pathParams {
				id, err := strconv.ParseInt(value, 10, 64)
				if strings.HasSuffix(name, "_id") && (err != nil || id <= 0 || strconv.FormatInt(id, 10) != value) {
					door.reject(w, r, invalid(name, "must be a whole number from 1 to 9223372036854775807, in digits only"))
					return
				}
			}
			next(w, r, pathParams)
		}
	}
}

// strictQuery refuses parameters that no call has: a misspelt validate_only would otherwise write. An empty one is
// refused too, since the parser behind takes it for none: an etag that got lost would otherwise guard nothing.
func strictQuery(door *jsonDoor, known map[string]protoreflect.FieldDescriptor) runtime.Middleware {
	names := strings.Join(slices.Sorted(maps.Keys(known)), ", ")
	return func(next runtime.HandlerFunc) runtime.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request, pathParams map[string]string) {
			query, err := url.ParseQuery(r.URL.RawQuery)
			if err != nil {
				door.reject(w, r, invalid("query", "is not a valid query string"))
				return
			}
			var violations []apierror.Violation
			for _, name := range slices.Sorted(maps.Keys(query)) {
				_, inPath := pathParams[name]
				field := known[name]
				switch {
				case inPath || field == nil:
					violations = append(violations, apierror.Violation{Field: apierror.QuoteName(name), Description: "is not a query parameter here; known are " + names})
				case len(query[name]) > 1:
					violations = append(violations, apierror.Violation{Field: name, Description: "is given more than once"})
				case query[name][0] == "":
					violations = append(violations, apierror.Violation{Field: name, Description: "has no value; give one, or leave the parameter out"})
				case field.Kind() == protoreflect.BoolKind && !isBool(query[name][0]):
					violations = append(violations, apierror.Violation{Field: name, Description: "must be true or false"})
				}
			}
			if len(violations) > 0 {
				door.reject(w, r, apierror.Invalid(violations...))
				return
			}
			next(w, r, pathParams)
		}
	}
}

// queryParameters are the fields of the requests that can stand in a query: those that are not messages of their
// own, and masks.
func queryParameters(file protoreflect.FileDescriptor) map[string]protoreflect.FieldDescriptor {
	known := map[string]protoreflect.FieldDescriptor{}
	for _, input := range inputsOf(file) {
		for i := range input.Fields().Len() {
			field := input.Fields().Get(i)
			if field.Message() == nil || field.Message().FullName() == "google.protobuf.FieldMask" {
				known[string(field.Name())] = field
			}
		}
	}
	maps.DeleteFunc(known, func(name string, _ protoreflect.FieldDescriptor) bool { return strings.HasSuffix(name, "_id") })
	return known
}

// inputsOf returns the requests of all calls of a file.
func inputsOf(file protoreflect.FileDescriptor) []protoreflect.MessageDescriptor {
	var inputs []protoreflect.MessageDescriptor
	for i := range file.Services().Len() {
		methods := file.Services().Get(i).Methods()
		for j := range methods.Len() {
			inputs = append(inputs, methods.Get(j).Input())
		}
	}
	return inputs
}

// isBool reports whether the parser behind can read a value, which would otherwise say so in Go's words. Texts and
// masks can be anything.
func isBool(value string) bool {
	_, err := strconv.ParseBool(value)
	return err == nil
}
