package httpjson

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/customer"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/nearest"
)

// strictPath rejects an id in the path that is not a plain number. grpc-gateway's parser also accepts 0x10, 01 and
// 1_000, and the store would read 12abc as 12 (F17).
func (g *gateway) strictPath(next runtime.HandlerFunc) runtime.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request, pathParams map[string]string) {
		for name, value := range pathParams {
			id, err := strconv.ParseInt(value, 10, 64)
			if strings.HasSuffix(name, "_id") && (err != nil || id <= 0 || strconv.FormatInt(id, 10) != value) {
				g.rejectCall(w, r, invalid(name, "must be a whole number from 1 to 9223372036854775807, in digits only"))
				return
			}
		}
		next(w, r, pathParams)
	}
}

// strictQuery rejects unknown parameters: with a misspelt validate_only the update would be written. It also rejects
// empty ones, which grpc-gateway's parser takes as absent: a lost etag would protect nothing.
func (g *gateway) strictQuery(next runtime.HandlerFunc) runtime.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request, pathParams map[string]string) {
		if r.URL.RawQuery == "" {
			next(w, r, pathParams)
			return
		}
		query, err := url.ParseQuery(r.URL.RawQuery)
		if err != nil {
			g.rejectCall(w, r, invalid("query", "is not a valid query string"))
			return
		}
		var known map[string]protoreflect.FieldDescriptor
		if route := g.routes.find(r.Method, r.URL.Path); route != nil {
			known = route.parameters
			if route.method == http.MethodGet && strings.HasPrefix(route.template, documentedPath) {
				query.Del(customerOnly)
			}
		}
		if violations := queryViolations(query, known); len(violations) > 0 {
			g.rejectCall(w, r, apierror.Invalid(violations...))
			return
		}
		next(w, r, pathParams)
	}
}

// customerOnly is a parameter of FluentCart's own read, which leaves the customer's labels out (F15). No response has them.
const customerOnly = "params[customer_only]"

func queryViolations(query url.Values, known map[string]protoreflect.FieldDescriptor) []apierror.Violation {
	var violations []apierror.Violation
	for _, name := range slices.Sorted(maps.Keys(query)) {
		field := known[name]
		switch {
		case field == nil && len(known) == 0:
			violations = append(violations, apierror.Violation{Field: apierror.QuoteName(name), Description: "is not a query parameter here; there are none"})
		case field == nil:
			names, meant := slices.Sorted(maps.Keys(known)), ""
			if len(violations) < apierror.MaxViolations { // further ones are not listed
				meant = meantParameter(name, names)
			}
			violations = append(violations, apierror.Violation{Field: apierror.QuoteName(name), Description: "is not a query parameter here" + meant + "; known are " + strings.Join(names, ", ")})
		case len(query[name]) > 1:
			violations = append(violations, apierror.Violation{Field: name, Description: "is given more than once"})
		case query[name][0] == "":
			violations = append(violations, apierror.Violation{Field: name, Description: "has no value; give one, or leave the parameter out"})
		case field.Kind() == protoreflect.BoolKind && !isBool(query[name][0]):
			violations = append(violations, apierror.Violation{Field: name, Description: "must be true or false"})
		}
	}
	return violations
}

// meantParameter says what was probably meant by an unknown query parameter.
func meantParameter(name string, known []string) string {
	if customer.IsWritable(name) {
		return "; it is a field of the body"
	}
	otherNames := map[string]string{"dry_run": "validate_only", "mask": "update_mask", "field_mask": "update_mask", "fields": "update_mask", "if_match": "etag", "idempotency_key": "request_id"}
	near := nearest.Name(name, append(slices.Clone(known), slices.Sorted(maps.Keys(otherNames))...))
	if near == "" {
		return ""
	}
	return " (did you mean " + cmp.Or(otherNames[near], near) + "?)"
}

// queryParameters returns the request fields that may be query parameters: scalars and field masks, without the ids,
// which are in the path.
func queryParameters(input protoreflect.MessageDescriptor) map[string]protoreflect.FieldDescriptor {
	known := map[string]protoreflect.FieldDescriptor{}
	for i := range input.Fields().Len() {
		field := input.Fields().Get(i)
		if field.Message() == nil || field.Message().FullName() == "google.protobuf.FieldMask" {
			known[string(field.Name())] = field
		}
	}
	maps.DeleteFunc(known, func(name string, field protoreflect.FieldDescriptor) bool {
		return strings.HasSuffix(name, "_id") && field.Kind() == protoreflect.Int64Kind
	})
	return known
}

// isBool reports whether grpc-gateway's parser accepts a value; its own error would be in Go's words.
func isBool(value string) bool {
	_, err := strconv.ParseBool(value)
	return err == nil
}
