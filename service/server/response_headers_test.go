package server_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// Callers get none of the headers of the store's responses, whatever the status.
func TestCallersGetNoHeadersOfTheStore(t *testing.T) {
	odd := http.Header{
		"Set-Cookie": {"canary=1", "canary=2"}, "Location": {"http://canary:canary@shop.example/?canary#canary"}, "Link": {"<https://canary.example/wp-json/>; rel=canary"},
		"Www-Authenticate": {`Basic realm="canary"`}, "Retry-After": {"7"}, "Content-Type": {"application/json; canary=1"}, "Server": {"canary"},
		"Connection": {"keep-alive"}, "Date": {"canary"}, "Trailer": {"X-Canary-Trailer"}, "Allow": {"CANARY"},
	}
	for _, header := range loadHostileHeaders(t).ignored() { // headers that are hostile in a request are so in a response
		name, _, _ := strings.Cut(header, ":")
		if canonical := http.CanonicalHeaderKey(name); odd[canonical] == nil && len(name) < 100 && canonical != "Content-Encoding" && canonical != "Content_Length" {
			odd[canonical] = []string{"canary"}
		}
	}
	if len(odd) < 100 {
		t.Fatalf("%d headers only", len(odd))
	}
	const body = `{"code":"rest_forbidden","message":"no","data":null}`
	ways := callerModes(t)
	for _, status := range []int{
		http.StatusOK, http.StatusMovedPermanently, http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound,
		http.StatusUnprocessableEntity, http.StatusLocked, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable,
	} {
		for _, e := range ways {
			e.options.config.SettleTime = time.Millisecond
			t.Run(http.StatusText(status)+"/"+e.name, func(t *testing.T) {
				t.Parallel()
				store := &forgetfulStore{}
				g, _ := startRecorded(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					for name, values := range odd {
						w.Header()[name] = values
					}
					if status == http.StatusOK || r.Method == http.MethodGet {
						store.ServeHTTP(w, r)
						return
					}
					w.WriteHeader(status)
					_, _ = w.Write([]byte(body))
				}), e.options)
				response, content := e.updateOverJSON(t, g)
				checkResponseHeader(t, status, response)
				for name, values := range response.Header {
					if strings.Contains(strings.ToLower(strings.Join(values, ",")), "canary") {
						t.Errorf("the response has %s: %q", name, values)
					}
				}
				if (response.StatusCode == http.StatusOK) != (status == http.StatusOK) {
					t.Errorf("%s: %s", response.Status, content)
				}
				fields, err := e.updateOverGRPC(t, g)
				if err != nil {
					t.Error(err)
				}
				checkResponseFields(t, status, fields)
				for _, field := range fields {
					if strings.Contains(strings.ToLower(field.Value), "canary") {
						t.Errorf("the response has %s", field)
					}
				}
			})
		}
	}
}
