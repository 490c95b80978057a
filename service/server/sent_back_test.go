package server_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
)

// A customer that was read can be sent back whole, however odd its row is: there is nothing to change, and nothing is
// refused.
func TestCustomersCanBeSentBackAsRead(t *testing.T) {
	for _, row := range []struct{ name, columns string }{
		{"without names", `{"first_name":"","last_name":""}`},
		{"with names that are NULL", `{"first_name":null,"last_name":null}`},
		{"without a first name", `{"first_name":""}`},
		{"without a last name", `{"last_name":""}`},
		{"with a space behind the first name", `{"first_name":"Ann "}`},
		{"with a space before the first name", `{"first_name":" Ann"}`},
		{"with a space before the last name", `{"last_name":" Lee"}`},
		{"with a first name that is a space", `{"first_name":" "}`},
		{"with a name of 200 characters", `{"first_name":"` + strings.Repeat("é", 200) + `"}`},
		{"with names that are too long together", `{"first_name":"` + strings.Repeat("a", 150) + `","last_name":"` + strings.Repeat("b", 100) + `"}`},
		{"with a tag in the name", `{"first_name":"<b>Ann</b>"}`},
		{"without an e-mail address", `{"email":""}`},
		{"with an umlaut domain", `{"email":"ann@münchen.example"}`},
		{"with an underscore domain", `{"email":"ann@my_shop.example"}`},
		{"with an e-mail address without an @", `{"email":"guest"}`},
		{"with a space around the e-mail address", `{"email":" ann@example.com "}`},
		{"with an e-mail address of 200 characters", `{"email":"` + strings.Repeat("a", 188) + `@example.com"}`},
		{"with an e-mail address without a dot", `{"email":"ann@localhost"}`},
		{"with a city of 60 characters", `{"city":"` + strings.Repeat("x", 60) + `"}`},
		{"with a postcode of 60 characters of several bytes", `{"postcode":"` + strings.Repeat("é", 60) + `"}`},
		{"with a status of 46 characters", `{"status":"` + strings.Repeat("x", 46) + `"}`},
		{"with texts that the store sanitizes", `{"notes":"a\nb <b>c</b> 5 < 6","state":" IDF ","city":"Pa\tris"}`},
		{"with all of it", `{"email":"","first_name":"","last_name":"","city":"` + strings.Repeat("x", 60) + `","notes":"5 < 6"}`},
		{"linked, without names", `{"user_id":"2","first_name":"","last_name":""}`},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var columns map[string]json.RawMessage
			if err := json.Unmarshal([]byte(row.columns), &columns); err != nil {
				t.Fatal(err)
			}
			g := start(t, options{wrap: answering(map[string]*rawAnswer{http.MethodGet: {Shows: columns}})})
			read, err := g.grpc.UpdateCustomer(t.Context(), &customerv1.UpdateCustomerRequest{CustomerId: 1, Customer: &customerv1.Customer{}, ValidateOnly: true})
			if err != nil {
				t.Fatal(err)
			}
			sentBack, err := g.grpc.UpdateCustomer(t.Context(), &customerv1.UpdateCustomerRequest{CustomerId: 1, Customer: read.GetCustomer(), Etag: read.GetCustomer().GetEtag()})
			if err != nil || len(sentBack.GetChangedFields()) > 0 || len(sentBack.GetWarnings()) > 0 {
				t.Errorf("gRPC: %v, %v", sentBack, err)
			}

			const path = "/wp-json/fluent-cart/v2/customers/1"
			_, body := g.send(t, http.MethodPut, path, `{}`, http.Header{})
			var shown struct{ Data json.RawMessage }
			if err := json.Unmarshal(body, &shown); err != nil {
				t.Fatal(err)
			}
			response, body := g.send(t, http.MethodPut, path, string(shown.Data), http.Header{})
			if got := jsonOutcome(t, response, body); got.Code != "OK" || len(got.ChangedFields) > 0 || len(got.Warnings) > 0 {
				t.Errorf("HTTP: %s", body)
			}
			for _, request := range g.toStore.take() {
				if request.method != http.MethodGet {
					t.Errorf("the store got a %s", request.method)
				}
			}
		})
	}
}

// A value that no store can hold, or that contradicts another, is refused before anything is sent.
func TestRequestsThatNoRowExcusesCostTheStoreNothing(t *testing.T) {
	g := start(t, options{})
	for name, content := range map[string]string{
		"a city of 256 characters":               `{"city":"` + strings.Repeat("é", 256) + `"}`,
		"an e-mail address of 256 characters":    `{"email":"` + strings.Repeat("a", 244) + `@example.com"}`,
		"a full name of 256 characters":          `{"full_name":"` + strings.Repeat("a", 256) + `"}`,
		"a negative user_id":                     `{"user_id":-1}`,
		"names that contradict each other":       `{"full_name":"Zoë Quill","first_name":"Bob"}`,
		"names that contradict it by a letter":   `{"full_name":"Ann Lee","first_name":"Ann ","last_name":"Les"}`,
		"a long city beside an impossible one":   `{"city":"` + strings.Repeat("x", 46) + `","state":"` + strings.Repeat("x", 256) + `"}`,
		"a blank name beside an unknown field":   `{"full_name":" ","colour":"red"}`,
		"an odd e-mail beside a negative number": `{"email":"x","user_id":-1}`,
	} {
		response, body := g.send(t, http.MethodPut, "/v1/customers/1", content, http.Header{})
		if got := jsonOutcome(t, response, body); got.Reason != "INVALID_FIELD" {
			t.Errorf("%s: %s", name, body)
		}
		if sent := g.toStore.take(); len(sent) > 0 {
			t.Errorf("%s: %d requests to the store", name, len(sent))
		}
	}
}
