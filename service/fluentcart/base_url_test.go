package fluentcart_test

import (
	"strings"
	"testing"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

func TestBaseURLsAreCheckedAndNormalised(t *testing.T) {
	for _, row := range []struct{ name, url, want, fault string }{
		{"a site", "https://shop.example", "https://shop.example", ""},
		{"a site with a slash", "https://shop.example/", "https://shop.example", ""},
		{"a path in front", "https://shop.example/a/b//", "https://shop.example/a/b", ""},
		{"the address of the API", "https://shop.example/a/wp-json/fluent-cart/v2/", "https://shop.example/a", ""},
		{"the address of WordPress's API", "https://shop.example/wp-json/", "https://shop.example", ""},
		{"the address of the customers", "https://shop.example/wp-json/fluent-cart/v2/customers", "https://shop.example", ""},
		{"an address copied from the documentation", "https://shop.example/wp-json/fluent-cart/v2/customers/{customerId}", "https://shop.example", ""},
		{"the same as a browser copies it", "https://shop.example/wp-json/fluent-cart/v2/customers/%7BcustomerId%7D", "https://shop.example", ""},
		{"the address of a customer", "https://shop.example/a/wp-json/fluent-cart/v2/customers/123/", "https://shop.example/a", ""},
		{"an encoded slash", "https://shop.example/wp-json%2Ffluent-cart/v2", "https://shop.example", ""},
		{"spaces around", " \thttps://shop.example/wp-json \r\n", "https://shop.example", ""},
		{"slashes too many", "https://shop.example//a//wp-json//", "https://shop.example/a", ""},
		{"a letter that is encoded", "https://shop.example/caf%C3%A9/wp-json", "https://shop.example/caf%C3%A9", ""},
		{"a path that only looks like WordPress's API", "https://shop.example/wp-jsonp", "https://shop.example/wp-jsonp", ""},
		{"an empty query", "https://shop.example/?", "https://shop.example", ""},
		{"plain permalinks", "https://shop.example/?rest_route=/", "https://shop.example?rest_route=/", ""},
		{"plain permalinks in a path", "https://shop.example/a/?rest_route=/", "https://shop.example/a?rest_route=/", ""},
		{"plain permalinks with index.php", "https://shop.example/index.php?rest_route=/", "https://shop.example/index.php?rest_route=/", ""},
		{"plain permalinks, encoded", "https://shop.example/?rest_route=%2Ffluent-cart%2Fv2%2Fcustomers%2F1", "https://shop.example?rest_route=/", ""},
		{"plain permalinks with the path of the others", "https://shop.example/wp-json/?rest_route=/wp-json/fluent-cart/v2", "https://shop.example?rest_route=/", ""},
		{"plain permalinks without a route", "https://shop.example?rest_route=", "https://shop.example?rest_route=/", ""},
		{"plain permalinks with more", "https://shop.example/?rest_route=/&secret=1", "", "must not have"},
		{"the administration", "https://shop.example/wp-admin/admin.php?page=fluent-cart#/customers", "", "(/wp-admin); give the address of the site itself"},
		{"the login page", "https://shop.example/wp-login.php", "", "(/wp-login.php); give the address of the site itself"},
		{"XML-RPC", "https://shop.example/xmlrpc.php", "", "(/xmlrpc.php); give the address of the site itself"},
		{"no scheme and a port", "shop.example:443", "", "must begin with https://"},
		{"no scheme, with slashes", "//shop.example", "", "must begin with https://"},
		{"one slash", "https:/shop.example", "", "must begin with https://"},
		{"a placeholder for the host", "https://{domain}/wp-json", "", "not a URL"},
		{"nothing", " ", "", "must begin with https://"},
		{"a port that is too high", "https://shop.example:99999", "", "has a port that is not a number from 1 to 65535"},
		{"a port", "http://127.0.0.1:8081", "http://127.0.0.1:8081", ""},
		{"no scheme", "shop.example", "", "must begin with https://"},
		{"another scheme", "ftp://shop.example", "", "must begin with https://"},
		{"no host", "https:///shop", "", "has no host"},
		{"credentials", "https://me:secret@shop.example", "", "must not hold a user name or password"},
		{"a query", "https://shop.example/?secret=/", "", "must not have a fragment (a part after #), or a query"},
		{"a query that is not one", "https://shop.example/?secret=%zz", "", "must not have"},
		{"a fragment", "https://shop.example/#x", "", "must not have a fragment"},
		{"not a URL", "https://secret shop\x7f", "", "not a URL"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := fluentcart.ParseBaseURL(row.url)
			switch {
			case row.fault == "":
				if err != nil || got.String() != row.want {
					t.Errorf("got %v, %v, want %s", got, err, row.want)
				}
			case err == nil || !strings.Contains(err.Error(), row.fault) || strings.Contains(err.Error(), "secret"):
				t.Errorf("got %v, want %q", err, row.fault)
			}
		})
	}
}
