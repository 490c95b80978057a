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

// A dry run returns the same customer, changed fields and warnings as the update after it, or the same error.
func TestDryRunReturnsTheSameAsTheUpdate(t *testing.T) {
	for name, customer := range map[string]string{
		"two fields change":                     `{"city":"Lyon","postcode":"69001"}`,
		"three fields are cleared":              `{"city":"","state":"","notes":""}`,
		"the store strips tags from the notes":  `{"notes":"line 1\nline 2 <b>bold</b> 100%25"}`,
		"the store trims the text":              `{"city":" Lyon ","status":" active ","country":"CH "}`,
		"the store strips the notes to nothing": `{"notes":"<br>"}`,
		"the name has three words":              `{"full_name":"Mary Ann Dyke"}`,
		"the name has spaces around it":         `{"full_name":" Zoë Quill "}`,
		"the city is invalid":                   `{"city":"Ly\non"}`,
		"the name is invalid":                   `{"full_name":"<b>Zoë</b> Quill"}`,
		"nothing changes":                       `{"city":"Paris"}`,
	} {
		t.Run(name, func(t *testing.T) {
			request := &customerv1.UpdateCustomerRequest{CustomerId: 1, Customer: &customerv1.Customer{}}
			if err := protojson.Unmarshal([]byte(customer), request.GetCustomer()); err != nil {
				t.Fatal(err)
			}
			customers, store := newService(t)
			before := store.Rows()
			dryRun := proto.CloneOf(request)
			dryRun.ValidateOnly = true
			fromDryRun, dryErr := customers.UpdateCustomer(t.Context(), dryRun)
			if diff := cmp.Diff(before, store.Rows()); diff != "" {
				t.Fatalf("the dry run changed the store:\n%s", diff)
			}
			request.Etag = fromDryRun.GetCustomer().GetEtag() // nothing was written, so it is still valid
			fromUpdate, updateErr := customers.UpdateCustomer(t.Context(), request)
			if got, want := status.Code(dryErr), status.Code(updateErr); got != want {
				t.Fatalf("the dry run returned %v, and the update %v", dryErr, updateErr)
			}
			if diff := cmp.Diff(fromDryRun, fromUpdate, protocmp.Transform(),
				protocmp.IgnoreFields(&customerv1.UpdateCustomerResponse{}, "message"),
				protocmp.IgnoreFields(&customerv1.Customer{}, "updated_at", "etag", "country_name"), // set by the store when it writes
			); diff != "" {
				t.Errorf("the responses differ (-dry run +update):\n%s", diff)
			}
		})
	}
}

// newService returns a service with a new sandbox store.
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
