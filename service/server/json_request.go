package server

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
)

// body is a request's body, read in full. The decoder leaves in it what it has against it, for the error handler:
// the generated code in between passes on a text only.
type body struct {
	bytes.Reader
	violations []violation
}

// Close does nothing; the body has been read.
func (b *body) Close() error { return nil }

// maxBody bounds a JSON body. JSON may write a byte as six (\u000a), and what it says may have 64 KiB.
const maxBody = 6 * 64 << 10

// readBody reads a body of at most maxBody bytes. If it cannot, it says why, and with which HTTP status.
func readBody(w http.ResponseWriter, r *http.Request) (read *body, problem string, status int) {
	tooLarge := fmt.Sprintf("must be at most %d bytes", maxBody)
	if r.ContentLength > maxBody {
		w.Header().Set("Connection", "close") // rather than reading what nobody wants
		return nil, tooLarge, http.StatusRequestEntityTooLarge
	}
	held := holding(r)
	defer held.Close() //nolint:errcheck // it does not fail
	content, err := io.ReadAll(http.MaxBytesReader(w, held, maxBody))
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		w.Header().Set("Connection", "close") // as above
		return nil, tooLarge, http.StatusRequestEntityTooLarge
	case err != nil:
		return nil, "could not be read to its end", http.StatusBadRequest
	}
	read = &body{}
	read.Reset(content)
	return read, "", 0
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
					door.refuse(w, r, http.StatusBadRequest, violation{name, "must be a whole number from 1 to 9223372036854775807, in digits only"})
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
				door.refuse(w, r, http.StatusBadRequest, violation{"query", "is not a valid query string"})
				return
			}
			var violations []violation
			for _, name := range slices.Sorted(maps.Keys(query)) {
				_, inPath := pathParams[name]
				field := known[name]
				switch {
				case inPath || field == nil:
					violations = append(violations, violation{quoted(name), "is not a query parameter here; known are " + names})
				case len(query[name]) > 1:
					violations = append(violations, violation{name, "is given more than once"})
				case query[name][0] == "":
					violations = append(violations, violation{name, "has no value; give one, or leave the parameter out"})
				case field.Kind() == protoreflect.BoolKind && !isBool(query[name][0]):
					violations = append(violations, violation{name, "must be true or false"})
				}
			}
			if len(violations) > 0 {
				door.refuse(w, r, http.StatusBadRequest, violations...)
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

// quoted repeats a name of the request in an error, if it looks like one: what was put there by mistake, such as an
// e-mail address, is not repeated.
func quoted(name string) string {
	if len(name) > 40 || strings.Trim(name, nameLetters) != "" {
		return fmt.Sprintf("a name of %d bytes", len(name))
	}
	return strconv.Quote(name)
}

// nameLetters are what names of fields, and the paths to them, are made of.
const nameLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.*[]"
