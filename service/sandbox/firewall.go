package sandbox

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// FirewallConfig says which requests a firewall in front of a store refuses, and with which page (F30). The zero
// FirewallConfig refuses nothing.
type FirewallConfig struct {
	// Texts are refused in the body and in the URL's path and query, whatever their case. The body is searched as it was
	// sent: a text with a character that JSON escapes does not match its escaped form.
	Texts []string
	// Methods are refused, such as PUT on some hosts.
	Methods []string
	// Page is the response to a refused request; if its Status is 0, it is ModSecurity(403).
	Page Response
}

// NewFirewall returns a firewall in front of next. A refused request does not reach next.
func NewFirewall(next http.Handler, cfg FirewallConfig) http.Handler {
	texts := make([][]byte, len(cfg.Texts))
	for i, text := range cfg.Texts {
		texts[i] = []byte(strings.ToLower(text))
	}
	page := cfg.Page
	if page.Status == 0 {
		page = ModSecurity(http.StatusForbidden)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, ok := readBody(w, r)
		if !ok {
			return
		}
		holds := func(s []byte) bool {
			s = bytes.ToLower(s)
			return slices.ContainsFunc(texts, func(text []byte) bool { return bytes.Contains(s, text) })
		}
		query, err := url.QueryUnescape(r.URL.RawQuery)
		if err != nil {
			query = r.URL.RawQuery
		}
		if slices.Contains(cfg.Methods, r.Method) || holds(body) || holds([]byte(r.URL.Path+"?"+query)) {
			page.buffered().send(w)
			return
		}
		r = r.WithContext(r.Context()) // a copy: a handler must not modify its request
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
	})
}
