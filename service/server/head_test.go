package server_test

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// HEAD is GET without the body of the response (RFC 9110, 9.3.2).
func TestHeadHasTheHeaderOfGet(t *testing.T) {
	g := start(t, options{})
	for _, path := range []string{"/v1/customers/1", "/wp-json/fluent-cart/v2/customers/1", "/v1/customers/999", "/v1/customers/1?x=y"} {
		id := http.Header{"X-Request-Id": {"head-1"}}
		get, content := g.send(t, http.MethodGet, path, "", id)
		head, none := g.send(t, http.MethodHead, path, "", id)
		if head.StatusCode != get.StatusCode || len(content) == 0 || len(none) > 0 {
			t.Errorf("%s: HEAD has the status %d and %d bytes, GET %d and %d", path, head.StatusCode, len(none), get.StatusCode, len(content))
		}
		get.Header.Del("Date")
		head.Header.Del("Date")
		if diff := cmp.Diff(get.Header, head.Header); diff != "" {
			t.Errorf("%s: header (-GET +HEAD):\n%s", path, diff)
		}
	}
}
