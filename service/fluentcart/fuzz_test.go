package fluentcart_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"testing"
	"unicode"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// canned is a transport that returns the same response to every request.
type canned struct {
	status int
	body   []byte
}

func (c canned) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: c.status, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(c.body)), Request: r}, nil
}

// FuzzDecode gives the client any status and body. The client must return the customer that it was asked for, or an Error
// whose text is fit for a log.
func FuzzDecode(f *testing.F) {
	for _, recorded := range recordings(f) {
		f.Add(recorded.Response.Status, []byte(recorded.Response.JSON))
	}
	files, err := filepath.Glob("testdata/failures/*")
	if err != nil || len(files) == 0 {
		f.Fatalf("no failures: %v", err)
	}
	for _, file := range files {
		status, _, body := rawResponse(f, filepath.Base(file))
		f.Add(status, body)
	}
	f.Add(200, []byte(`{"customer":{`+annsColumns+`},"message":"ok","data":{`+annsColumns+`}}`))
	f.Add(500, []byte(`{"code":"42\u0000"}`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		client := newClientOf(t, fluentcart.Config{BaseURL: "http://localhost", Transport: canned{status, body}})
		got, getErr := client.GetCustomer(t.Context(), 1)
		check(t, got, getErr)
		put, putErr := client.PutCustomer(t.Context(), fluentcart.Update{}, fluentcart.Customer{ID: 1}, nil)
		check(t, put, putErr)
	})
}

func check(t *testing.T, customer *fluentcart.Customer, err error) {
	t.Helper()
	if err == nil {
		if customer.ID != 1 || customer.Email == "" {
			t.Errorf("got %+v", customer)
		}
		return
	}
	var failed *fluentcart.Error
	if !errors.As(err, &failed) || failed.Kind == 0 || customer != nil {
		t.Fatalf("got %+v, %v", customer, err)
	}
	for _, r := range failed.Error() {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			t.Errorf("%q is in %q", r, failed.Error())
		}
	}
}
