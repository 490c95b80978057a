package fluentcart

import (
	"errors"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
)

// The paths of WordPress's REST API, and of FluentCart's customers below it, relative to the address of the site. A site
// with plain permalinks does not serve restPath: there the query parameter rest_route holds the route (F31).
const (
	restPath       = "/wp-json"
	customersRoute = "/fluent-cart/v2/customers"
	restRoute      = "rest_route"
)

// insideSite are path segments that show that an address is inside a WordPress site. The part before the segment need not
// be the site's address, because WordPress may be installed in a subdirectory. So the address is refused, not shortened.
var insideSite = []string{"wp-admin", "wp-login.php", "wp-content", "wp-includes", "xmlrpc.php"}

// ParseBaseURL checks the address of a store and returns the address of its WordPress site, without a trailing slash. It
// removes the path of the REST API, so that an address copied from FluentCart's documentation works. The result has the
// query ?rest_route=/ if the given address has that parameter, and no query otherwise. Errors say what would be right. They
// never repeat the address, which may hold credentials.
func ParseBaseURL(raw string) (*url.URL, error) {
	raw = strings.TrimSpace(raw)
	base, err := url.Parse(raw)
	switch {
	case !strings.Contains(raw, "://"), err == nil && base.Scheme != "https" && base.Scheme != "http":
		return nil, errors.New("must begin with https:// (or http:// for a store on this machine)")
	case err != nil:
		return nil, errors.New("not a URL; give the address of the WordPress site, such as https://shop.example.com")
	case base.Hostname() == "":
		return nil, errors.New("has no host; give the address of the WordPress site, such as https://shop.example.com")
	case !validPort(base.Port()):
		return nil, errors.New("has a port that is not a number from 1 to 65535")
	case base.User != nil:
		return nil, errors.New("must not hold a user name or password; those have settings of their own")
	}
	base.RawPath = ""
	if base.Path, err = sitePath(base.Path); err != nil {
		return nil, err
	}
	query, err := url.ParseQuery(base.RawQuery)
	switch _, plain := query[restRoute]; {
	case base.Fragment != "", err != nil, base.RawQuery != "" && !plain, len(query) > 1:
		return nil, errors.New("must not have a fragment (a part after #), or a query (a part after ?) other than ?rest_route=/")
	case plain:
		base.RawQuery = restRoute + "=/"
	}
	base.ForceQuery = false
	return base, nil
}

// sitePath returns the part of a path before that of the REST API, without a trailing slash.
func sitePath(full string) (string, error) {
	segments := strings.Split(full, "/")
	for i, segment := range segments {
		if segment == strings.TrimPrefix(restPath, "/") {
			segments = segments[:i]
			break
		}
		if slices.Contains(insideSite, segment) {
			return "", errors.New("is an address inside the WordPress site (/" + segment + "); give the address of the site itself, as in WordPress: Settings, General, Site Address")
		}
	}
	return strings.TrimSuffix(path.Clean("/"+strings.Join(segments, "/")), "/"), nil
}

func validPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return port == "" || err == nil && n > 0
}

// routeURL returns the address of a route of a site's REST API, to which further segments can be appended.
func routeURL(site *url.URL, route string) *url.URL {
	if site.RawQuery == "" {
		return site.JoinPath(restPath, route)
	}
	address := *site
	if path.Ext(site.Path) != ".php" { // the given address may name index.php
		address.Path += "/"
	}
	address.RawQuery = restRoute + "=" + route
	return &address
}

// targetOf returns the path and query of an address.
func targetOf(address *url.URL) string {
	return "/" + strings.TrimPrefix(address.RequestURI(), "/") // JoinPath leaves the slash out for an empty path
}

// customerTarget returns the path and query of a customer. It formats the id itself: the store reads `12abc` as 12 (F17).
func (c *Client) customerTarget(id int64) string { return c.target + "/" + strconv.FormatInt(id, 10) }

// readTarget returns the path and query of the read of a customer. customer_only leaves out the labels, which the gateway
// does not use (F15).
func (c *Client) readTarget(id int64) string {
	separator := "?"
	if strings.Contains(c.target, "?") {
		separator = "&"
	}
	return c.customerTarget(id) + separator + "params%5Bcustomer_only%5D=yes"
}
