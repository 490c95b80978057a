package fluentcart

import (
	"errors"
	"net/url"
	"strconv"
	"strings"
)

// The paths of WordPress's REST API, and of FluentCart's below it, relative to the address of the site.
const (
	restPath = "/wp-json"
	apiPath  = restPath + "/fluent-cart/v2"
)

// ParseBaseURL checks the address of a store and returns it without a trailing slash and without the path of the API. Its
// errors say what would be right and never repeat the address, which may hold credentials.
func ParseBaseURL(raw string) (*url.URL, error) {
	base, err := url.Parse(raw)
	switch {
	case err != nil:
		return nil, errors.New("not a URL; give the address of the WordPress site, such as https://shop.example.com")
	case base.Scheme != "https" && base.Scheme != "http":
		return nil, errors.New("must begin with https:// (or http:// for a store on this machine)")
	case base.Hostname() == "":
		return nil, errors.New("has no host; give the address of the WordPress site, such as https://shop.example.com")
	case !validPort(base.Port()):
		return nil, errors.New("has a port that is not a number from 1 to 65535")
	case base.User != nil:
		return nil, errors.New("must not hold a user name or password; those have settings of their own")
	case base.RawQuery != "" || base.ForceQuery || base.Fragment != "":
		return nil, errors.New("must not have a query or a fragment (a part after ? or #)")
	}
	base.Path = strings.TrimRight(base.Path, "/")
	for _, end := range []string{apiPath, restPath} {
		base.Path = strings.TrimRight(strings.TrimSuffix(base.Path, end), "/")
	}
	base.RawPath = ""
	return base, nil
}

func validPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return port == "" || err == nil && n > 0
}

// customerPath formats the id itself: the store reads `12abc` as 12 (F17).
func (c *Client) customerPath(id int64) string {
	return c.path + "/" + strconv.FormatInt(id, 10)
}
