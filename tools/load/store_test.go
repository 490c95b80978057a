package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// sendToStore sends a request to the REST API of the store.
func sendToStore(t testing.TB, s *store, method, route, body string, want int) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.url+"/wp-json"+route, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth(sandbox.AdminUsername, sandbox.AdminPassword)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != want {
		t.Errorf("%s %s: %s", method, route, response.Status)
	}
}

func TestStoreCountsRequestsAndAppliedUpdates(t *testing.T) {
	s, err := startStore(sandbox.Config{Customers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	send := func(method, customer, body string, want int) {
		t.Helper()
		sendToStore(t, s, method, "/fluent-cart/v2/customers/"+customer, body, want)
	}
	send(http.MethodGet, "1001", "", http.StatusOK)
	before := s.counts()
	send(http.MethodPut, "1001", `{"id":1001,"email":"a@example.com","full_name":"A B","notes":"first"}`, http.StatusOK)
	send(http.MethodPut, "1001", `{"id":1001,"email":"a@example.com","full_name":"A B","notes":"second"}`, http.StatusOK)
	send(http.MethodPut, "1001", `{"notes":"has no name"}`, http.StatusUnprocessableEntity)
	send(http.MethodPut, "1002", `{"email":"b@example.com","full_name":"A B","notes":"no such customer"}`, http.StatusInternalServerError)

	if diff := cmp.Diff(requests{"PUT": 4}, s.counts().since(before)); diff != "" {
		t.Errorf("requests: %s", diff)
	}
	if diff := cmp.Diff(map[string]int{"first": 1, "second": 1}, s.applied); diff != "" {
		t.Errorf("applied: %s", diff)
	}
	if err := s.verifyRows(); err != nil {
		t.Error(err)
	}
	s.add("1001", "third", "first")
	if err := s.verifyRows(); err == nil || !strings.Contains(err.Error(), "customer 1001") {
		t.Errorf("a lost update: %v", err)
	}
}

func TestStoreCountsAtomicUpdatesThatItApplied(t *testing.T) {
	s, err := startStore(sandbox.Config{Customers: 1, Companion: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	const one, two = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"
	companion := func(method, route, body string) {
		t.Helper()
		sendToStore(t, s, method, "/fluentcart-gateway/v1"+route, body, http.StatusOK)
	}
	companion(http.MethodPost, "/customers/1001", `{"request_id":"`+one+`","set":{"notes":"first"}}`)
	companion(http.MethodPost, "/customers/1001", `{"request_id":"`+one+`","set":{"notes":"first"}}`) // applied already
	companion(http.MethodDelete, "/requests/"+one, "")
	companion(http.MethodPost, "/customers/1001", `{"request_id":"`+two+`","set":{"notes":"unmatched"},"if_match":[]}`)
	companion(http.MethodPost, "/customers/1001", `{"request_id":"`+two+`","set":{"notes":"second"}}`)

	if diff := cmp.Diff(map[string]int{"first": 1, "second": 1}, s.applied); diff != "" {
		t.Errorf("applied: %s", diff)
	}
	if err := s.verifyRows(); err != nil {
		t.Error(err)
	}
}
