package httpjson

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// ifMatchToEtag turns the If-Match header into the parameter etag, which means the same. It returns the fault of the
// header, if it has one.
func ifMatchToEtag(r *http.Request) (problem string) {
	values := r.Header.Values("If-Match")
	if len(values) == 0 {
		return ""
	}
	tag := strings.TrimSpace(strings.Join(values, ","))
	query, err := url.ParseQuery(r.URL.RawQuery)
	switch {
	case err != nil: // strictQuery rejects it; encoded again it would look valid
		return ""
	case tag == "*": // any version of an existing customer; that it exists is checked anyway
		return ""
	case strings.Contains(tag, ","):
		return "If-Match must hold one entity tag only"
	case strings.HasPrefix(tag, "W/"):
		return "If-Match must hold a strong entity tag, as the ETag header gave it"
	}
	tag = strings.TrimSuffix(strings.TrimPrefix(tag, `"`), `"`)
	switch {
	case tag == "" || strings.Contains(tag, `"`):
		return `If-Match must hold an entity tag in double quotes, as the ETag header gave it`
	case query.Has("etag") && query.Get("etag") != tag:
		return "If-Match and the parameter etag contradict each other; give one of them"
	}
	query.Set("etag", tag)
	r.URL.RawQuery = query.Encode()
	return ""
}

// setETag copies the etag of the resource in a response to the ETag header.
func setETag(_ context.Context, w http.ResponseWriter, response proto.Message) error {
	response.ProtoReflect().Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		if field.Message() == nil || field.IsList() || field.IsMap() {
			return true
		}
		resource := value.Message()
		if etag := resource.Descriptor().Fields().ByName("etag"); etag != nil && resource.Has(etag) {
			w.Header().Set("ETag", `"`+resource.Get(etag).String()+`"`)
			return false
		}
		return true
	})
	return nil
}
