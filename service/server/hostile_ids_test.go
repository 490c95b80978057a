package server_test

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// templates are the methods and paths of the HTTP/JSON gateway, up to the id.
var templates = []string{
	"PUT /v1/customers/", "PATCH /v1/customers/", "PUT /wp-json/fluent-cart/v2/customers/", "POST /wp-json/fluent-cart/v2/customers/",
}

// requestLine sends a request line without changes, with a body.
func (g *gateway) requestLine(t testing.TB, line, body string) (*http.Response, []byte) {
	t.Helper()
	return rawJSON(t, rawConn(t, strings.TrimPrefix(g.url, "http://"), nil),
		fmt.Sprintf("%s HTTP/1.1\r\nHost: gateway.example\r\nContent-Length: %d\r\n\r\n%s", latin1(line), len(body), body))
}

// The store reads 12abc as 12 (F17). An id with any other character than digits does not reach it, on any path.
func TestHostileIDsDoNotReachTheStore(t *testing.T) {
	content, err := os.ReadFile("testdata/hostile_ids.json")
	if err != nil {
		t.Fatal(err)
	}
	var ids struct{ Refused, Accepted map[string]string }
	if err := json.Unmarshal(repeat(content), &ids); err != nil {
		t.Fatal(err)
	}
	g, store := startRecorded(t, &forgetfulStore{}, options{})
	wanted := golden(t, basic(sandbox.AdminUsername, sandbox.AdminPassword))
	for _, template := range templates {
		for name, id := range ids.Refused {
			response, body := g.requestLine(t, template+id, lyon)
			if sent := store.take(); response.StatusCode != http.StatusBadRequest && response.StatusCode != http.StatusNotFound || sent != "" {
				t.Errorf("%s%.40s (%s): %s: %s; the store got %q", template, id, name, response.Status, body, sent)
			}
			// net/http rejects what is not HTTP at all, in plain text.
			if response.Header.Get("Content-Type") != "application/json" {
				continue
			}
			got := jsonOutcome(t, response, body)
			if got.Reason != "INVALID_FIELD" && got.Reason != "NO_SUCH_PATH" || got.WriteState != "not_sent" {
				t.Errorf("%s%.40s (%s): %s %s", template, id, name, got.Reason, got.WriteState)
			}
		}
		for name, id := range ids.Accepted {
			response, body := g.requestLine(t, template+id, lyon)
			if diff := cmp.Diff(wanted, store.take()); diff != "" {
				t.Errorf("%s%s (%s): %s: %s; requests to the store (-want +got):\n%s", template, id, name, response.Status, body, diff)
			}
		}
	}
}

// The id in the path counts, whatever else a request says about an id, in the path or in the body.
func TestOnlyTheIDInThePathCounts(t *testing.T) {
	g, store := startRecorded(t, &forgetfulStore{}, options{})
	wanted := golden(t, basic(sandbox.AdminUsername, sandbox.AdminPassword))
	for _, request := range []struct{ name, line, body string }{
		{"another id in the body", "PATCH /v1/customers/1", `{"id":2,"city":"Lyon"}`},
		{"another id in the body, as text", "PUT /v1/customers/1", `{"id":"2","city":"Lyon"}`},
		{"an id in the body that is none", "PUT /wp-json/fluent-cart/v2/customers/1", `{"id":"../2","city":"Lyon"}`},
		{"another host in the request line", "PATCH http://evil.example/v1/customers/1", lyon},
		{"another user in the request line", "PATCH http://admin:x@evil.example:22/v1/customers/1", lyon},
	} {
		response, body := g.requestLine(t, request.line, request.body)
		if diff := cmp.Diff(wanted, store.take()); diff != "" {
			t.Errorf("%s: %s: %s; requests to the store (-want +got):\n%s", request.name, response.Status, body, diff)
		}
	}
}

// Over gRPC an id is a number, and only its range can be wrong.
func TestIDsAtTheEndsOfTheRange(t *testing.T) {
	g, store := startRecorded(t, &forgetfulStore{}, options{})
	for _, id := range []int64{0, -1, math.MinInt64, math.MinInt32} {
		_, err := g.grpc.UpdateCustomer(t.Context(), &customerv1.UpdateCustomerRequest{CustomerId: id, Customer: &customerv1.Customer{}})
		got := errorOutcome(t, status.Convert(err))
		if diff := cmp.Diff([]string{"customer_id"}, got.Fields); status.Code(err) != codes.InvalidArgument || got.WriteState != "not_sent" || diff != "" {
			t.Errorf("%d: %v (-want +got):\n%s", id, err, diff)
		}
		if sent := store.take(); sent != "" {
			t.Errorf("%d: the store got %q", id, sent)
		}
	}
	for _, id := range []int64{math.MaxInt32 + 1, 1<<53 + 1, math.MaxInt64} { // a float would round the last two
		_, overGRPC := g.grpc.UpdateCustomer(t.Context(), &customerv1.UpdateCustomerRequest{CustomerId: id, Customer: &customerv1.Customer{}})
		overJSON, _ := g.requestLine(t, fmt.Sprintf("PUT /v1/customers/%d", id), lyon)
		if status.Code(overGRPC) != codes.NotFound || overJSON.StatusCode != http.StatusNotFound {
			t.Errorf("%d: gRPC %v; JSON %s", id, overGRPC, overJSON.Status)
		}
		if asked := strings.Count(store.take(), fmt.Sprintf("GET /wp-json/fluent-cart/v2/customers/%d?", id)); asked != 2 {
			t.Errorf("%d was asked for %d times, want 2", id, asked)
		}
	}
}
