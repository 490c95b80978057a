package fluentcart

import (
	"net/http"
	"strings"
)

// pageSources are the likely senders of a page by a header that they add, the most specific first. An empty value matches
// every value of the header.
var pageSources = [...]struct{ header, value, source string }{
	{"Cf-Mitigated", "", "Cloudflare"},
	{"X-Amzn-Waf-Action", "", "AWS WAF"},
	{"X-Sucuri-Block", "", "Sucuri"},
	{"X-Sucuri-Id", "", "Sucuri"},
	{"X-Iinfo", "", "Imperva"},
	{"X-Cdn", "imperva", "Imperva"},
	{"X-Cdn", "incapsula", "Imperva"},
	{"X-Datadome", "", "DataDome"},
	{"X-Akamai-Request-Id", "", "Akamai"},
	{"Server", "imunify360", "Imunify360"},
	{"Server", "sucuri", "Sucuri"},
	{"Server", "akamai", "Akamai"},
	{"Server", "ddos-guard", "DDoS-Guard"},
	{"Server", "bunkerweb", "BunkerWeb"},
	{"Server", "bigip", "F5 BIG-IP"},
	{"Server", "awselb", "an AWS load balancer"},
	{"Server", "cloudfront", "Amazon CloudFront"},
	{"X-Amz-Cf-Id", "", "Amazon CloudFront"},
	{"Server", "cloudflare", "Cloudflare"},
	{"Cf-Ray", "", "Cloudflare"},
	{"X-Varnish", "", "Varnish"},
	{"Server", "varnish", "Varnish"},
	{"X-Kinsta-Cache", "", "Kinsta"},
	{"X-Powered-By", "wp engine", "WP Engine"},
	{"Server", "litespeed", "LiteSpeed"},
	{"Server", "openresty", "the web server (OpenResty)"},
	{"Server", "nginx", "the web server (nginx)"},
	{"Server", "apache", "the web server (Apache)"},
	{"Server", "microsoft-iis", "the web server (IIS)"},
	{"Server", "caddy", "the web server (Caddy)"},
}

// sourceOf returns the likely sender of a page, or an empty text if its headers do not say.
func sourceOf(header http.Header) string {
	for _, known := range pageSources {
		for _, value := range header.Values(known.header) {
			if strings.Contains(strings.ToLower(value), known.value) {
				return known.source
			}
		}
	}
	return ""
}
