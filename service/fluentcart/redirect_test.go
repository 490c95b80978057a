package fluentcart_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// The error of a redirect says where it points, and which --store-url would not be redirected (F21).
func TestRedirectSaysWhereItPoints(t *testing.T) {
	const pretty, plain = "http://store.example/shop", "http://store.example/?rest_route=/"
	const route = "/wp-json/fluent-cart/v2/customers/1"
	for _, row := range []struct {
		name, store, location string
		want                  fluentcart.Redirect
	}{
		{"https", pretty, "https://store.example/shop" + route + "?params%5Bcustomer_only%5D=yes", fluentcart.Redirect{To: "https://store.example/shop" + route, Site: "https://store.example/shop"}},
		{"www", pretty, "http://www.store.example/shop" + route, fluentcart.Redirect{To: "http://www.store.example/shop" + route, Site: "http://www.store.example/shop"}},
		{"a port", pretty, "https://store.example:8443/shop" + route, fluentcart.Redirect{To: "https://store.example:8443/shop" + route, Site: "https://store.example:8443/shop"}},
		{"a language", pretty, "/en" + route, fluentcart.Redirect{To: "http://store.example/en" + route, Site: "http://store.example/en"}},
		{"https and a slash", pretty, "https://store.example/shop" + route + "/", fluentcart.Redirect{To: "https://store.example/shop" + route + "/", Site: "https://store.example/shop"}},
		{"a slash", pretty, "/shop" + route + "/?a=b", fluentcart.Redirect{To: "http://store.example/shop" + route + "/", Site: pretty, Kind: fluentcart.AddsSlash}},
		{"the same address", pretty, "/shop" + route + "?challenge=1", fluentcart.Redirect{To: "http://store.example/shop" + route, Site: pretty, Kind: fluentcart.ToItself}},
		{"the login page", pretty, "https://store.example/shop/wp-login.php?redirect_to=x", fluentcart.Redirect{To: "https://store.example/shop/wp-login.php", Kind: fluentcart.ToLogin}},
		{"another login page", pretty, "/my-account/login/", fluentcart.Redirect{To: "http://store.example/my-account/login/", Kind: fluentcart.ToLogin}},
		{"the home page", pretty, "https://store.example/", fluentcart.Redirect{To: "https://store.example/"}},
		{"another customer", pretty, "https://store.example/shop/wp-json/fluent-cart/v2/customers/2", fluentcart.Redirect{To: "https://store.example/shop/wp-json/fluent-cart/v2/customers/2"}},
		{"plain permalinks to https", plain, "https://store.example/?rest_route=%2Ffluent-cart%2Fv2%2Fcustomers%2F1&x=y", fluentcart.Redirect{To: "https://store.example/", Site: "https://store.example?rest_route=/"}},
		{"plain permalinks to other ones", plain, "/wp-json/fluent-cart/v2/customers/1", fluentcart.Redirect{To: "http://store.example/wp-json/fluent-cart/v2/customers/1", Site: "http://store.example"}},
		{"credentials and a fragment", pretty, "https://me:secret@store.example/x#secret", fluentcart.Redirect{To: "https://store.example/x"}},
		{"control characters", pretty, "https://store.example/a\tb", fluentcart.Redirect{To: "https://store.example/ab"}},
		{"letters that are not ASCII", pretty, "https://store.example/\u202ecaf\u00e9", fluentcart.Redirect{To: "https://store.example/%E2%80%AEcaf%C3%A9"}},
		{"a long path", pretty, "https://store.example/" + strings.Repeat("a", 1000), fluentcart.Redirect{To: "https://store.example/" + strings.Repeat("a", 178) + "..."}},
		{"another scheme", pretty, "javascript:alert(1)", fluentcart.Redirect{}},
		{"an address that cannot be parsed", pretty, "http://[secret", fluentcart.Redirect{}},
		{"no address", pretty, "", fluentcart.Redirect{}},
	} {
		t.Run(row.name, func(t *testing.T) {
			store, client := newMemoryStore(t, fluentcart.Config{BaseURL: row.store})
			store.setHandler(func(w http.ResponseWriter, _ *http.Request) {
				if row.location != "" {
					w.Header().Set("Location", row.location)
				}
				w.WriteHeader(http.StatusMovedPermanently)
			})
			for method, err := range both(t.Context(), client) {
				got := failure(t, err)
				if diff := cmp.Diff(&row.want, got.Redirect); diff != "" {
					t.Errorf("%s: (-want +got):\n%s", method, diff)
				}
				if strings.Contains(got.Error(), "secret") {
					t.Errorf("%s: %v", method, got)
				}
			}
		})
	}
}

// A site with plain permalinks serves its API in the query of the home page (F31).
func TestTargetsOfRequests(t *testing.T) {
	for _, row := range []struct{ name, store, get, put string }{
		{"a site without a path", "http://store.example", "/wp-json/fluent-cart/v2/customers/1?params%5Bcustomer_only%5D=yes", "/wp-json/fluent-cart/v2/customers/1"},
		{"plain permalinks", "http://store.example/?rest_route=/", "/?rest_route=/fluent-cart/v2/customers/1&params%5Bcustomer_only%5D=yes", "/?rest_route=/fluent-cart/v2/customers/1"},
		{"plain permalinks in a path", "http://store.example/a%20b/?rest_route=/", "/a%20b/?rest_route=/fluent-cart/v2/customers/1&params%5Bcustomer_only%5D=yes", "/a%20b/?rest_route=/fluent-cart/v2/customers/1"},
		{"plain permalinks with index.php", "http://store.example/index.php?rest_route=/", "/index.php?rest_route=/fluent-cart/v2/customers/1&params%5Bcustomer_only%5D=yes", "/index.php?rest_route=/fluent-cart/v2/customers/1"},
	} {
		t.Run(row.name, func(t *testing.T) {
			store, client := newMemoryStore(t, fluentcart.Config{BaseURL: row.store})
			got := map[string]string{}
			store.setHandler(func(w http.ResponseWriter, r *http.Request) {
				got[r.Method], _, _ = strings.Cut(r.RequestURI, "&_fcg=")
				respondNormally(w, r)
			})
			for method, err := range both(t.Context(), client) {
				if err != nil {
					t.Errorf("%s: %v", method, err)
				}
			}
			if diff := cmp.Diff(map[string]string{"GET": row.get, "PUT": row.put}, got); diff != "" {
				t.Errorf("targets (-want +got):\n%s", diff)
			}
		})
	}
}
