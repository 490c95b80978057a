package service_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// What validate_only foretells is what then happens: the same customer, changed fields and warnings, or the same
// refusal.
func TestValidateOnlyForetellsTheWrite(t *testing.T) {
	for name, customer := range map[string]string{
		"a plain change":             `{"city":"Lyon","postcode":"69001"}`,
		"clearing":                   `{"city":"","state":"","notes":""}`,
		"notes that are cleaned":     `{"notes":"line 1\nline 2 <b>bold</b> 100%25"}`,
		"text that is trimmed":       `{"city":" Lyon ","status":" active ","country":"CH "}`,
		"notes that are cleaned off": `{"notes":"<br>"}`,
		"a name of three words":      `{"full_name":"Mary Ann Dyke"}`,
		"a name with outer spaces":   `{"full_name":" Zoë Quill "}`,
		"a city that is refused":     `{"city":"Ly\non"}`,
		"a name that is refused":     `{"full_name":"<b>Zoë</b> Quill"}`,
		"nothing to change":          `{"city":"Paris"}`,
	} {
		t.Run(name, func(t *testing.T) {
			request := &customerv1.UpdateCustomerRequest{CustomerId: 1, Customer: &customerv1.Customer{}}
			if err := protojson.Unmarshal([]byte(customer), request.GetCustomer()); err != nil {
				t.Fatal(err)
			}
			customers, store := newService(t)
			before := store.Rows()
			rehearsal := proto.CloneOf(request)
			rehearsal.ValidateOnly = true
			foretold, foretoldErr := customers.UpdateCustomer(t.Context(), rehearsal)
			if diff := cmp.Diff(before, store.Rows()); diff != "" {
				t.Fatalf("validate_only wrote:\n%s", diff)
			}
			request.Etag = foretold.GetCustomer().GetEtag() // nothing was written: it still holds
			happened, happenedErr := customers.UpdateCustomer(t.Context(), request)
			if got, want := status.Code(foretoldErr), status.Code(happenedErr); got != want {
				t.Fatalf("foretold %v, and it was %v", foretoldErr, happenedErr)
			}
			if diff := cmp.Diff(foretold, happened, protocmp.Transform(),
				protocmp.IgnoreFields(&customerv1.UpdateCustomerResponse{}, "message"),
				protocmp.IgnoreFields(&customerv1.Customer{}, "updated_at", "etag", "country_name"), // the store's doing
			); diff != "" {
				t.Errorf("foretold and not so (-foretold +happened):\n%s", diff)
			}
		})
	}
}

// newService returns a service in front of a fresh sandbox.
func newService(t *testing.T) (*service.Service, *sandbox.Store) {
	t.Helper()
	store := sandbox.New(sandbox.Config{})
	listening := httptest.NewServer(store)
	t.Cleanup(listening.Close)
	client, err := fluentcart.New(fluentcart.Config{
		BaseURL: listening.URL, Credentials: fluentcart.As(sandbox.AdminUsername, sandbox.AdminPassword),
		GetTimeout: time.Minute, PutTimeout: time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	customers, err := service.New(service.Config{Store: client})
	if err != nil {
		t.Fatal(err)
	}
	return customers, store
}
