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
		{"a port that is too high", "https://shop.example:99999", "", "has a port that is not a number from 1 to 65535"},
		{"a port", "http://127.0.0.1:8081", "http://127.0.0.1:8081", ""},
		{"no scheme", "shop.example", "", "must begin with https://"},
		{"another scheme", "ftp://shop.example", "", "must begin with https://"},
		{"no host", "https:///shop", "", "has no host"},
		{"credentials", "https://me:secret@shop.example", "", "must not hold a user name or password"},
		{"a query", "https://shop.example/?rest_route=/", "", "must not have a query"},
		{"a fragment", "https://shop.example/#x", "", "must not have a query or a fragment"},
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
