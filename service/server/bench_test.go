package server_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// bareHandler reads the customer, puts the request's fields in, writes it back and passes the response on. The benchmark in
// tools, which is another module, has the same one.
type bareHandler struct{ customer string }

func (h *bareHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var read struct{ Customer map[string]any }
	if err := h.call(r, http.MethodGet, nil, &read); err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	if err := json.NewDecoder(r.Body).Decode(&read.Customer); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	body, err := json.Marshal(read.Customer)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	var written map[string]any
	if err := h.call(r, http.MethodPut, body, &written); err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(written)
}

func (h *bareHandler) call(r *http.Request, method string, body []byte, answer any) error {
	request, err := http.NewRequestWithContext(r.Context(), method, h.customer, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.SetBasicAuth(sandbox.AdminUsername, sandbox.AdminPassword)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	return json.NewDecoder(response.Body).Decode(answer)
}

// An update allocates no more than the bare handler does, and in atomic mode at most three quarters of that. Both figures hold the clients and the store, which are the same for
// the JSON transport and allocate more for the gRPC server.
func TestUpdateAllocatesNoMoreThanTheBareHandler(t *testing.T) {
	if raceEnabled { // the race detector allocates too
		return
	}
	store := httptest.NewServer(sandbox.New(sandbox.Config{Companion: true}))
	t.Cleanup(store.Close)
	bare := httptest.NewServer(&bareHandler{customer: store.URL + "/wp-json/fluent-cart/v2/customers/1"})
	t.Cleanup(bare.Close)
	merge := start(t, options{storeURL: store.URL})
	atomic := start(t, options{storeURL: store.URL, config: service.Config{WriteMode: service.Atomic}})
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(client.CloseIdleConnections)
	n := 0
	overJSON := func(url string) func() {
		return func() {
			n++
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, url, strings.NewReader(`{"city":"Lyon `+strconv.Itoa(n)+`"}`))
			if err != nil {
				t.Fatal(err)
			}
			response, err := client.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, response.Body); err != nil || response.StatusCode != http.StatusOK {
				t.Fatalf("%s, %v", response.Status, err)
			}
			_ = response.Body.Close()
		}
	}
	overGRPC := func(client customerv1.CustomerServiceClient) func() {
		return func() {
			n++
			_, err := client.UpdateCustomer(t.Context(), &customerv1.UpdateCustomerRequest{CustomerId: 1, Customer: &customerv1.Customer{City: proto.String("Lyon " + strconv.Itoa(n))}})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	baseline := testing.AllocsPerRun(200, overJSON(bare.URL))
	for _, row := range []struct {
		name string
		call func()
		most float64 // to the bare handler
	}{
		{"JSON in merge mode", overJSON(merge.url + "/v1/customers/1"), 1},
		{"gRPC in merge mode", overGRPC(merge.grpc), 1},
		{"JSON in atomic mode", overJSON(atomic.url + "/v1/customers/1"), 0.75},
		{"gRPC in atomic mode", overGRPC(atomic.grpc), 0.75},
	} {
		got := testing.AllocsPerRun(200, row.call)
		t.Logf("%s: %.0f allocations, the bare handler: %.0f", row.name, got, baseline)
		if got > row.most*baseline {
			t.Errorf("%s: %.0f allocations, want at most %.2f of the bare handler's %.0f", row.name, got, row.most, baseline)
		}
	}
}
