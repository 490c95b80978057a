package httpjson

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"google.golang.org/protobuf/proto"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
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

// setETag copies the etag of the customer in a response to the ETag header.
func setETag(_ context.Context, w http.ResponseWriter, response proto.Message) error {
	holder, _ := response.(interface{ GetCustomer() *customerv1.Customer })
	if holder != nil && holder.GetCustomer().GetEtag() != "" {
		w.Header().Set("ETag", `"`+holder.GetCustomer().GetEtag()+`"`)
	}
	return nil
}
