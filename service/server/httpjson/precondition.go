package httpjson

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
)

// preconditions checks the preconditions of a request. Those of a write become the parameter etag, and those of a read are in
// the returned context, for setETag.
func (g *gateway) preconditions(ctx context.Context, r *http.Request, route *route) (context.Context, *apierror.Error) {
	switch {
	case route == nil:
		return ctx, nil
	case route.method == http.MethodGet:
		return readPreconditions(ctx, r.Header)
	}
	return ctx, g.checkPreconditions(r)
}

// checkPreconditions turns the If-Match header of a write into the parameter etag, which means the same. It returns the
// rejection of a precondition that cannot be met or checked, or nil. If it were ignored, a write would go through that its
// caller wanted to prevent. If-Modified-Since and If-Range say nothing about a write (RFC 9110, 13.1.3 and 13.1.5).
func (g *gateway) checkPreconditions(r *http.Request) *apierror.Error {
	matches := headerList(r.Header, "If-Match")
	switch noneMatch := headerList(r.Header, "If-None-Match"); {
	case noneMatch == "*":
		return g.customerExists
	case noneMatch != "":
		return invalid("If-None-Match", "may be * only, which never writes; to write only if the customer is unchanged, send its ETag in If-Match")
	case matches == "" && headerList(r.Header, "If-Unmodified-Since") != "": // If-Match overrides it (RFC 9110, 13.1.4)
		return invalid("If-Unmodified-Since", "is not supported, because the store counts time in seconds; send the customer's ETag in If-Match instead")
	case matches == "" || matches == "*": // any version of an existing customer; that it exists is checked anyway
		return nil
	}
	if problem := matchToEtag(r.URL, matches); problem != "" {
		return invalid("etag", problem)
	}
	return nil
}

const malformedIfMatch = "If-Match must hold * alone, or entity tags in double quotes, as the ETag header gave them"

// headerList returns all values of a header as one list. A header without a value counts as absent.
func headerList(header http.Header, name string) string {
	values := header.Values(name)
	if len(values) > 1 {
		values = slices.DeleteFunc(slices.Clone(values), func(value string) bool { return value == "" })
	}
	return strings.Join(values, ", ")
}

// matchToEtag sets the parameter etag to the entity tags of an If-Match header. It returns the fault of the header, if it
// has one.
func matchToEtag(address *url.URL, header string) (problem string) {
	query, err := url.ParseQuery(address.RawQuery)
	if err != nil { // strictQuery rejects it; encoded again it would look valid
		return ""
	}
	tags, ok := entityTags(header)
	if !ok {
		return malformedIfMatch
	}
	if query.Has("etag") { // both must hold; a proxy may have added a suffix to the header
		tags = slices.DeleteFunc(tags, func(tag string) bool { return !strings.HasPrefix(tag, query.Get("etag")) })
		if len(tags) == 0 {
			return "If-Match and the parameter etag contradict each other; give one of them"
		}
	}
	query.Set("etag", strings.Join(tags, ","))
	address.RawQuery = query.Encode()
	return ""
}

// entityTags returns the tags in a list, without their quotes, each of them once. A weak tag counts as a strong one: the
// gateway makes strong ones only, and a proxy that compresses a response weakens its tag. A strong tag
// may lack its quotes, and a suffix that a proxy added may be behind them.
func entityTags(list string) (tags []string, ok bool) {
	for element := range strings.SplitSeq(list, ",") { // no tag of the gateway has a comma in it
		tag := strings.Trim(element, " \t")
		if tag == "" {
			continue // a list may have empty elements (RFC 9110, 5.6.1.2)
		}
		tag, weak := strings.CutPrefix(tag, "W/")
		quoted, isQuoted := strings.CutPrefix(tag, `"`)
		if isQuoted {
			value, suffix, closed := strings.Cut(quoted, `"`)
			if !closed || value == "" {
				return nil, false
			}
			tag = value + suffix
		}
		if weak && !isQuoted || tag == "*" || strings.ContainsAny(tag, "\" \t") {
			return nil, false
		}
		if !slices.Contains(tags, tag) {
			tags = append(tags, tag)
		}
	}
	return tags, len(tags) > 0
}
