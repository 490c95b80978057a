package service_test

import (
	"net/http/httptest"
	"strings"
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
		"the city has a less-than sign":         `{"city":"Ly<on"}`,
		"the name has a less-than sign":         `{"full_name":"Zoë <3 Quill"}`,
		"the domain of the e-mail has no dot":   `{"email":"ann@localhost"}`,
		"the e-mail is too short":               `{"email":"a@b.c"}`,
		"the e-mail is as short as can be":      `{"email":"a@b.co"}`,
		"the domain begins with a digit":        `{"email":"ann@3.example"}`,
		"the domain is an address":              `{"email":"ann@127.0.0.1"}`,
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
				protocmp.IgnoreFields(&customerv1.Customer{}, "updated_at", "etag", "country_name", "photo"), // set by the store when it writes
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

// The gateway and the sandbox store sanitize texts on their own, each as WordPress does. They must agree.
func TestDryRunSanitizesAsTheSandboxStoreDoes(t *testing.T) {
	customers, _ := newService(t)
	for _, text := range []string{
		"5 < 6", "a <", "<", "<<", "i <3 you", "a < b > c", "a < b > c < d", "<<a>>", "x<y<z", "1 < 2 & 3", "a<b&amp;c", "< &copy; &foo;",
		`5 < "6"`, `"5" < 6`, "it's < 5", "a <b", "a<\nb", "a <b>b</b> < c", "<br> <", "-> <-", "<%41", "%41 < %42", "a%4<b>1", "  <  ", "\t<\n",
		"é<é", "< 日本 🎉", "<script>x</script> < y", "a > b", ">", "<>", "a<>b", "&lt;", "&", "<!-- x --> y", "<a\nb>c",
		strings.Repeat("x", 44) + "<", "<" + strings.Repeat("é", 44), strings.Repeat("<", 45),
	} {
		for _, set := range []func(*customerv1.Customer){
			func(c *customerv1.Customer) { c.Notes = &text },
			func(c *customerv1.Customer) { c.State = &text },
			func(c *customerv1.Customer) { c.City = &text },
		} {
			request := &customerv1.UpdateCustomerRequest{CustomerId: 1, Customer: &customerv1.Customer{}, ValidateOnly: true}
			set(request.GetCustomer())
			predicted, dryErr := customers.UpdateCustomer(t.Context(), request)
			request.ValidateOnly = false
			stored, err := customers.UpdateCustomer(t.Context(), request)
			if got, want := status.Code(dryErr), status.Code(err); got != want {
				t.Errorf("%v: the dry run returned %v, and the update %v", request.GetCustomer(), dryErr, err)
				continue
			}
			if diff := cmp.Diff(predicted, stored, protocmp.Transform(),
				protocmp.IgnoreFields(&customerv1.UpdateCustomerResponse{}, "message"),
				protocmp.IgnoreFields(&customerv1.Customer{}, "updated_at", "etag", "country_name"),
			); diff != "" {
				t.Errorf("%v: the responses differ (-dry run +update):\n%s", request.GetCustomer(), diff)
			}
		}
	}
}
