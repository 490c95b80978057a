package server_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"google.golang.org/protobuf/proto"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// A store with plain permalinks has no /wp-json (F31).
func TestStoreWithPlainPermalinksIsUpdated(t *testing.T) {
	customers := sandbox.New(sandbox.Config{})
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" && r.URL.Path != "/index.php" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		customers.ServeHTTP(w, r)
	}))
	t.Cleanup(store.Close)
	for i, address := range []string{"/?rest_route=/", "/index.php?rest_route=%2F", "/?rest_route=/fluent-cart/v2/customers/{customerId}"} {
		g := start(t, options{client: func(config *fluentcart.Config) { config.BaseURL = store.URL + address }})
		response, err := g.grpc.UpdateCustomer(t.Context(), &customerv1.UpdateCustomerRequest{CustomerId: 1, Customer: &customerv1.Customer{City: proto.String(fmt.Sprint("City ", i))}})
		if err != nil || response.GetCustomer().GetCity() != fmt.Sprint("City ", i) {
			t.Errorf("%s over gRPC: %v, %v", address, response, err)
		}
		over, body := g.send(t, http.MethodPatch, "/v1/customers/1", `{"city":"Lyon"}`, nil)
		if over.StatusCode != http.StatusOK {
			t.Errorf("%s over JSON: %s, %s", address, over.Status, body)
		}
	}
}
