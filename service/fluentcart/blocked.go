package fluentcart

import (
	"bytes"
	"mime"
	"net/http"
	"strings"
)

// isBlocked reports whether something in front of the store has answered in its place (F30): with a challenge, which a
// firewall marks in a header; with a page under a status that WordPress's REST API sends with JSON only; or with a 403 that
// holds no JSON error, such as Cloudflare's "error code: 1020". isPage says whether the body is a page.
func (r *response) isBlocked(isPage bool, body refusal) bool {
	switch r.status {
	case http.StatusOK, http.StatusCreated, http.StatusAccepted, http.StatusNonAuthoritativeInfo,
		http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return isPage || isChallenge(r.header)
	case http.StatusForbidden:
		return isPage || isChallenge(r.header) || !body.isError()
	case http.StatusMethodNotAllowed: // a page for a write, or one that allows PUT, is a refusal of the method
		return isChallenge(r.header) || isPage && r.method != http.MethodPut && !allowsPut(r.header)
	case http.StatusNotAcceptable: // WordPress does not negotiate; mod_security answers so
		return true
	}
	return false
}

// allowsPut reports whether a 405 names PUT in Allow. An upstream that serves only the documented PUT answers a read so.
func allowsPut(header http.Header) bool {
	for _, methods := range header.Values("Allow") {
		if strings.Contains(strings.ToUpper(methods), http.MethodPut) {
			return true
		}
	}
	return false
}

// isPage reports whether the body is an HTML page. JSON of the store around which PHP printed a warning is none (F20), and
// neither is an error that PHP printed: then the store itself has failed.
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
