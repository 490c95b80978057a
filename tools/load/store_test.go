package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

func TestStoreCountsRequestsAndAppliedUpdates(t *testing.T) {
	s, err := startStore(1, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	send := func(method, customer, body string, want int) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, s.url+"/wp-json/fluent-cart/v2/customers/"+customer, strings.NewReader(body))
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
			t.Errorf("%s of customer %s: %s", method, customer, response.Status)
		}
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
	for path := range s.latest {
		s.latest[path] = "third"
	}
	if err := s.verifyRows(); err == nil || !strings.Contains(err.Error(), "customer 1001") {
		t.Errorf("a lost update: %v", err)
	}
}
