package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// With --store-put-as-post the errors of a host that refuses the request all the same must not only advise the flag.
func TestErrorsOfPutAsPostNameItsOwnCauses(t *testing.T) {
	for _, row := range []struct {
		name   string
		refuse func(http.ResponseWriter, *http.Request, http.Handler)
		reason string
		has    string
	}{
		{"something removes the header", func(w http.ResponseWriter, r *http.Request, store http.Handler) {
			r.Header.Del("X-HTTP-Method-Override")
			store.ServeHTTP(w, r)
		}, "STORE_ROUTE_MISSING", "removes the header X-HTTP-Method-Override"},
		{"the host refuses POST as well", func(w http.ResponseWriter, r *http.Request, store http.Handler) {
			if r.Method == http.MethodPost {
				w.WriteHeader(http.StatusMethodNotAllowed)
				return
			}
			store.ServeHTTP(w, r)
		}, "STORE_BLOCKED", "if that is set, the host refuses POST as well"},
	} {
		for _, transport := range []string{"gRPC", "HTTP"} {
			t.Run(row.name+", "+transport, func(t *testing.T) {
				g := start(t, options{
					client: func(c *fluentcart.Config) { c.PutAsPost = true },
					wrap: func(store http.Handler) http.Handler {
						return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { row.refuse(w, r, store) })
					},
				})
				request := requestSetting{CustomerID: 1, Customer: []byte(`{"city":"Lyon"}`)}
				var got outcome
				if transport == "gRPC" {
					got = request.overGRPC(t, g)
				} else {
					got = request.overJSON(t, g, "")
				}
				if got.Reason != row.reason || got.WriteState != "rejected" || !strings.Contains(got.message, row.has) {
					t.Errorf("got %s, %s: %s", got.Reason, got.WriteState, got.message)
				}
			})
		}
	}
}
