package httpjson

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"google.golang.org/protobuf/proto"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/customer"
)

// errNotModified ends a read whose caller has the customer as it is.
var errNotModified = errors.New("not modified")

// setETag copies the etag of the customer in a response to the ETag header, and checks the preconditions of a read.
func setETag(ctx context.Context, w http.ResponseWriter, response proto.Message) error {
	holder, _ := response.(interface{ GetCustomer() *customerv1.Customer })
	if holder == nil {
		return nil
	}
	etag := holder.GetCustomer().GetEtag()
	if etag != "" {
		w.Header().Set("ETag", `"`+etag+`"`)
	}
	if conditions, ok := ctx.Value(readConditions{}).(*readConditions); ok {
		return conditions.check(etag)
	}
	return nil
}

// readConditions are the preconditions of a read: lists of etags with commas, "*" for any, or empty for none.
type readConditions struct{ match, noneMatch string }

// readPreconditions returns a context with the preconditions of a read. If-None-Match overrides If-Modified-Since, and is
// ignored if it holds no entity tags: then the customer is sent. If-Unmodified-Since and If-Modified-Since are ignored, because
// no response has a Last-Modified (RFC 9110, 13.1.3 and 13.1.4).
func readPreconditions(ctx context.Context, header http.Header) (context.Context, *apierror.Error) {
	var conditions readConditions
	if list := headerList(header, "If-Match"); list != "" {
		var ok bool
		if conditions.match, ok = tagList(list); !ok {
			return ctx, invalid("etag", malformedIfMatch)
		}
	}
	conditions.noneMatch, _ = tagList(headerList(header, "If-None-Match"))
	if conditions == (readConditions{}) {
		return ctx, nil
	}
	return context.WithValue(ctx, readConditions{}, &conditions), nil
}

// tagList returns the entity tags of a header with commas between them, or "*".
func tagList(header string) (list string, ok bool) {
	if header == "*" {
		return header, true
	}
	tags, ok := entityTags(header)
	return strings.Join(tags, ","), ok
}

func (c *readConditions) check(etag string) error {
	switch {
	case c.match != "" && c.match != "*" && !customer.NamesVersion(c.match, etag):
		return apierror.New(apierror.EtagMismatch, apierror.NotSent, "the customer does not have the version in If-Match; leave the header out to read any version")
	case c.noneMatch == "*", c.noneMatch != "" && customer.NamesVersion(c.noneMatch, etag):
		return errNotModified
	}
	return nil
}
