package server_test

import (
	"net/http"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service"
)

const requestID = "6f1b0e0c-2c4b-4f0a-9a55-5f0f3c1d7a10"

// A caller repeats an update because it has lost its connection, so the repetition comes by another one. Where callers are not
// authenticated, nothing else identifies them.
func TestUpdateIsRepeatedOnAnotherConnection(t *testing.T) {
	g := start(t, options{companion: true, config: service.Config{WriteMode: service.Atomic}})
	lyon := &customerv1.UpdateCustomerRequest{CustomerId: 1, Customer: &customerv1.Customer{City: proto.String("Lyon")}, RequestId: requestID}
	written, err := g.grpc.UpdateCustomer(t.Context(), lyon)
	if err != nil || len(written.GetChangedFields()) != 1 {
		t.Fatal(written, err)
	}
	conn, err := grpc.NewClient(g.conn.Target(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // nothing is left to do on it
	repeated, err := customerv1.NewCustomerServiceClient(conn).UpdateCustomer(t.Context(), lyon)
	if err != nil || !strings.Contains(repeated.GetMessage(), "applied already") {
		t.Errorf("over gRPC: %s, %v", repeated.GetMessage(), err)
	}
	response, body := g.send(t, http.MethodPatch, "/v1/customers/1?request_id="+requestID, `{"city":"Lyon"}`, nil)
	if response.StatusCode != http.StatusOK || !strings.Contains(string(body), "applied already") {
		t.Errorf("over JSON: %d %s", response.StatusCode, body)
	}
	response, body = g.send(t, http.MethodPatch, "/v1/customers/1?request_id="+requestID, `{"city":"Nice"}`, nil)
	if response.StatusCode != http.StatusBadRequest || !strings.Contains(string(body), "was used for another update") {
		t.Errorf("another update: %d %s", response.StatusCode, body)
	}
	if city := g.store.Rows()[0].City; city == nil || *city != "Lyon" {
		t.Errorf("the city is %v", city)
	}
}
