package faults

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestInvalidFaultIsRefusedWithWhatWouldBeValid(t *testing.T) {
	tests := []struct {
		name, body string
		wants      []string
	}{
		{"no body", "", []string{`not a JSON object, such as {"fault":`}},
		{"no JSON", "fault=slow", []string{"not a JSON object"}},
		{"null", "null", []string{"not a JSON object"}},
		{"a list", `[{"fault":"slow"}]`, []string{"not a JSON object"}},
		{"two objects", `{"fault":"slow"}{"fault":"down"}`, []string{"set one fault with each request"}},
		{"no name", `{"count":1}`, []string{`"fault": give the name`, "rejected, validation_failed", "down"}},
		{"a number as name", `{"fault":423}`, []string{`"fault": give the name`, "user_update_failed"}},
		{"an unknown name", `{"fault":"sloow"}`, []string{`no fault "sloow"`, "slow"}},
		{"an unknown name that is long", `{"fault":"` + strings.Repeat("é", 500) + `"}`, []string{`…"; there are: rejected`}},
		{"an unknown field", `{"fault":"slow","customer":1}`, []string{`slow has no field "customer"; its fields are: fault, on, customer_id, count, delay`}},
		{"a field of another fault", `{"fault":"slow","retry_after":"3s"}`, []string{`slow has no field "retry_after"`}},
		{"a field in other letters", `{"fault":"slow","Delay":"3s"}`, []string{`slow has no field "Delay"`}},
		{"several errors at once", `{"fault":"late_write","on":"PUT","count":0,"customer_id":-1,"delay":"2h","applied_after":5}`, []string{
			`"on": give "read", "write", "cancel" or "both"`, `"count": give the number`, `"customer_id": give a positive number`,
			`"delay": give a duration`, `"applied_after": give a duration as text, such as "1500ms" or "3s", of at most 1m0s; `,
		}},
		{"a count that is no integer", `{"fault":"slow","count":1.5}`, []string{`"count": give the number`}},
		{"a customer as text", `{"fault":"slow","customer_id":"1"}`, []string{`"customer_id": give a positive number`}},
		{"null as on", `{"fault":"slow","on":null}`, []string{`"on": give "read", "write", "cancel" or "both"`}},
		{"a negative delay", `{"fault":"slow","delay":"-3s"}`, []string{`"delay": give a duration`}},
		{"a delay above a minute", `{"fault":"slow","delay":"61s"}`, []string{"of at most 1m0s"}},
		{"a part of a second for Retry-After", `{"fault":"maintenance","retry_after":"1500ms"}`, []string{`"retry_after": give whole seconds`}},
		{"a day for Retry-After", `{"fault":"maintenance","retry_after":"24h"}`, []string{"of at most 1h0m0s"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSandboxed(t)
			w := s.send(http.MethodPost, faultsPath, tt.body)
			var answer struct{ Error string }
			if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != http.StatusBadRequest {
				t.Fatalf("%d %s, %v", w.Code, w.Body, err)
			}
			for _, part := range tt.wants {
				if !strings.Contains(answer.Error, part) {
					t.Errorf("the error lacks %q: %s", part, answer.Error)
				}
			}
			if got := s.listed(t); len(got) != 0 {
				t.Errorf("it is set: %+v", got)
			}
		})
	}
}

// A browser on this machine must not do what a web page of another origin wants.
func TestWebPagesCannotSetFaults(t *testing.T) {
	tests := []struct {
		name         string
		method, path string
		host         string
		header       map[string]string
		want         int
	}{
		{"a form of another origin", http.MethodPost, faultsPath, "127.0.0.1:8081", map[string]string{"Origin": "https://evil.example", "Content-Type": "text/plain"}, http.StatusForbidden},
		{"a form of a browser without Origin", http.MethodPost, faultsPath, "127.0.0.1:8081", map[string]string{"Content-Type": "text/plain"}, http.StatusUnsupportedMediaType},
		{"no content type", http.MethodPost, faultsPath, "127.0.0.1:8081", nil, http.StatusUnsupportedMediaType},
		{"a preflight", http.MethodOptions, faultsPath, "127.0.0.1:8081", map[string]string{"Origin": "https://evil.example"}, http.StatusMethodNotAllowed},
		{"a page whose name points here", http.MethodPost, faultsPath, "evil.example:8081", map[string]string{"Origin": "http://evil.example:8081", "Content-Type": "application/json"}, http.StatusForbidden},
		{"a reset of another origin", http.MethodPost, resetPath, "127.0.0.1:8081", map[string]string{"Sec-Fetch-Site": "cross-site"}, http.StatusForbidden},
		{"the companion of another origin", http.MethodPut, companionPath, "127.0.0.1:8081", map[string]string{"Origin": "https://evil.example"}, http.StatusForbidden},
		{"a page of another port of this machine", http.MethodDelete, faultsPath, "127.0.0.1:8081", map[string]string{"Origin": "http://127.0.0.1:3000"}, http.StatusForbidden},
		{"curl", http.MethodPost, faultsPath, "localhost:8081", map[string]string{"Content-Type": "application/json; charset=utf-8"}, http.StatusCreated},
		{"Node's fetch", http.MethodPost, faultsPath, "127.0.0.1:8081", map[string]string{"Content-Type": "application/json", "Sec-Fetch-Mode": "cors"}, http.StatusCreated},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSandboxed(t)
			r := httptest.NewRequestWithContext(t.Context(), tt.method, "http://"+tt.host+tt.path, strings.NewReader(`{"fault":"down"}`))
			for name, value := range tt.header {
				r.Header.Set(name, value)
			}
			w := httptest.NewRecorder()
			s.handler.ServeHTTP(w, r)
			if w.Code != tt.want || w.Header().Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%d %s, want %d", w.Code, w.Body, tt.want)
			}
			if isSet := len(s.listed(t)) > 0; isSet != (tt.want == http.StatusCreated) {
				t.Errorf("set: %v", isSet)
			}
		})
	}
}

func TestOtherRequestsAreAnswered(t *testing.T) {
	tests := []struct {
		name, method, path, body string
		status                   int
		has                      string
	}{
		{"another path below the switch's", http.MethodGet, "/sandbox/fault", "", http.StatusNotFound, "POST /sandbox/reset"},
		{"another method", http.MethodPut, faultsPath, "", http.StatusMethodNotAllowed, "send GET, POST, DELETE to /sandbox/faults"},
		{"a reset by GET", http.MethodGet, resetPath, "", http.StatusMethodNotAllowed, "send POST to /sandbox/reset"},
		{"the companion by POST", http.MethodPost, companionPath, "", http.StatusMethodNotAllowed, "send PUT, DELETE to /sandbox/companion"},
		{"a body that is too large", http.MethodPost, faultsPath, strings.Repeat(" ", maxBody+1), http.StatusRequestEntityTooLarge, "too large"},
		{"a path of the store", http.MethodGet, "/wp-json/fluent-cart/v2/customers/1", "", http.StatusOK, "ann@example.com"},
		{"a path of the store that is not clean", http.MethodGet, "//wp-json/x", "", http.StatusNotFound, "rest_no_route"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newSandboxed(t).send(tt.method, tt.path, tt.body)
			if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.has) {
				t.Errorf("%d %s, want %d with %q", w.Code, w.Body, tt.status, tt.has)
			}
		})
	}
}
