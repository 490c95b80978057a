package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"net/http"
)

// serveBare serves the baseline: what a careful person writes without checks, merge of names, leases, bounds, warnings,
// errors, metrics or logs.
func serveBare(args []string, _ io.Writer) error {
	flags := flag.NewFlagSet("bare", flag.ContinueOnError)
	store := flags.String("store", "", "the `address` of the store")
	if err := flags.Parse(args); err != nil {
		return err
	}
	transport := &http.Transport{MaxIdleConnsPerHost: inFlight}
	bare := &bareHandler{*store + "/wp-json/fluent-cart/v2/customers/", &http.Client{Transport: transport}}
	mux := http.NewServeMux()
	mux.Handle("PUT /v1/customers/{id}", bare)
	return listenAndServe(mux)
}

// bareHandler reads the customer, puts the request's fields in, writes it back and passes the response on.
type bareHandler struct {
	customers string
	client    *http.Client
}

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
	request, err := http.NewRequestWithContext(r.Context(), method, h.customers+r.PathValue("id"), bytes.NewReader(body)) //nolint:gosec // the path of the load that this program sends
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.SetBasicAuth(username, password)
	response, err := h.client.Do(request) //nolint:gosec // as above
	if err != nil {
		return err
	}
	defer response.Body.Close() //nolint:errcheck // it has been read, or the error is returned
	return json.NewDecoder(response.Body).Decode(answer)
}
