package fluentcart

import (
	"bytes"
	"mime"
	"net/http"
	"strings"
)

// isBlocked reports whether something in front of the store has answered in its place (F30): a challenge that a firewall
// marks in a header, a page with a status that WordPress's REST API does not send with one, or a 403 without a word of the
// store, such as Cloudflare's "error code: 1020". isPage says whether the body is a page.
func (r *response) isBlocked(isPage bool, body refusal) bool {
	switch r.status {
	case http.StatusOK, http.StatusCreated, http.StatusAccepted, http.StatusNonAuthoritativeInfo,
		http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return isPage || isChallenge(r.header)
	case http.StatusForbidden:
		return isPage || isChallenge(r.header) || !body.isError()
	case http.StatusMethodNotAllowed:
		return isChallenge(r.header) || isPage && r.method != http.MethodPut && !allowsPut(r.header)
	case http.StatusNotAcceptable: // WordPress does not negotiate; mod_security answers so
		return true
	}
	return false
}

// allowsPut reports whether a 405 says that the address serves PUT, as an upstream does that knows nothing else.
func allowsPut(header http.Header) bool {
	for _, methods := range header.Values("Allow") {
		if strings.Contains(strings.ToUpper(methods), http.MethodPut) {
			return true
		}
	}
	return false
}

// isPage reports whether the body is an HTML page, and not the JSON of a store around which PHP printed something. PHP's own
// errors are no page: the store itself has failed.
func (r *response) isPage(body refusal) bool {
	text := bytes.TrimLeft(r.body, "\ufeff \t\r\n")
	if beginsWith(text, "<!doctype html") || beginsWith(text, "<html") {
		return true
	}
	if len(text) == 0 || body.isError() || beginsWith(text, "<br />\n<b>") || beginsWith(text, "<b>") {
		return false
	}
	media, _, _ := mime.ParseMediaType(r.header.Get("Content-Type"))
	return media == "text/html" || media == "application/xhtml+xml"
}

// beginsWith reports whether text begins with a prefix, ignoring case.
func beginsWith(text []byte, prefix string) bool {
	return len(text) >= len(prefix) && bytes.EqualFold(text[:len(prefix)], []byte(prefix))
}

// challenges are the headers with which a firewall marks what it sends in the place of the site.
var challenges = [...]string{"Cf-Mitigated", "X-Amzn-Waf-Action", "X-Sucuri-Block"}

func isChallenge(header http.Header) bool {
	for _, name := range challenges {
		if header.Get(name) != "" {
			return true
		}
	}
	return false
}
