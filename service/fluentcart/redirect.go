package fluentcart

import (
	"net/http"
	"net/url"
	"path"
	"strings"
	"unicode"
)

// Redirect is where a response of status 3xx points. It is not followed (F21).
type Redirect struct {
	// To is the scheme, host and path; empty if there is no readable Location, or one of another kind.
	To string
	// Site is the base URL with which the request would have gone to To; empty if To is not the customer's address.
	Site string
	Kind RedirectKind
}

// RedirectKind says how the address that a redirect points to differs from that of the request.
type RedirectKind int

// The kinds of Redirect.
const (
	Elsewhere    RedirectKind = iota
	ToLogin                   // WordPress's login page, or another one
	ToItself                  // the same address, at least without its query
	AddsSlash                 // the same address with a slash at its end
	RemovesSlash              // the same address without the slash at its end
)

// maxShown bounds an address that is shown, in bytes.
const maxShown = 200

// redirectOf returns where the response to a request points.
func (c *Client) redirectOf(header http.Header, target string) *Redirect {
	from, err := url.Parse(c.origin + target)
	if err != nil {
		return &Redirect{}
	}
	location := strings.Map(withoutControls, header.Get("Location"))
	to, err := from.Parse(location)
	if err != nil || location == "" || to.Scheme != "http" && to.Scheme != "https" || to.Host == "" {
		return &Redirect{}
	}
	to.User, to.Fragment, to.RawFragment = nil, "", ""
	redirect := &Redirect{Kind: kindOfRedirect(from, to), Site: siteOf(from, to)}
	to.RawQuery, to.ForceQuery = "", false
	if redirect.To = to.String(); len(redirect.To) > maxShown { // String encodes all but ASCII, and control characters
		redirect.To = redirect.To[:maxShown] + "..."
	}
	return redirect
}

func withoutControls(r rune) rune {
	if unicode.IsControl(r) {
		return -1
	}
	return r
}

func kindOfRedirect(from, to *url.URL) RedirectKind {
	last := strings.ToLower(path.Base(to.Path))
	here := from.Scheme == to.Scheme && strings.EqualFold(from.Host, to.Host)
	switch {
	case last == "wp-login.php", last == "login", last == "signin", last == "sign-in":
		return ToLogin
	case here && to.Path == from.Path:
		return ToItself
	case here && to.Path == from.Path+"/":
		return AddsSlash
	case here && to.Path+"/" == from.Path:
		return RemovesSlash
	}
	return Elsewhere
}

// siteOf returns the address of the site to which a redirect points, or an empty text if to is not the address of the same
// customer as from.
func siteOf(from, to *url.URL) string {
	route := customersRoute + "/" + path.Base(from.Path)
	if plain := from.Query().Get(restRoute); plain != "" {
		route = plain
	}
	site := &url.URL{Scheme: to.Scheme, Host: to.Host, Path: to.Path}
	switch toRoute := strings.TrimSuffix(to.Query().Get(restRoute), "/"); {
	case toRoute != "" && toRoute == route:
		site.RawQuery = restRoute + "=/"
	case toRoute != "" || !strings.HasSuffix(strings.TrimSuffix(to.Path, "/"), restPath+route):
		return ""
	}
	base, err := ParseBaseURL(site.String())
	if err != nil || len(base.String()) > maxShown {
		return ""
	}
	return base.String()
}
