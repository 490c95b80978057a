package sandbox

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestTextIsCastToIntegersAsInPHP(t *testing.T) {
	for in, want := range map[string]int64{
		"": 0, "7": 7, "-7": -7, "12abc": 12, "abc": 0, "-": 0, "99999999999999999999": 1<<63 - 1,
	} {
		if got := castInt(in); got != want {
			t.Errorf("castInt(%q) = %d, want %d", in, got, want)
		}
	}
}

func TestBodiesAreParsedAsInWordPress(t *testing.T) {
	const valid = `{"id":1,"email":"ann@example.com","full_name":"Ann Lee"}`
	tests := []struct {
		name, contentType, body string
		status                  int
	}{
		{"JSON with a charset", "application/json; charset=utf-8", valid, 200},
		{"JSON with another Content-Type has no fields", "text/plain", valid, 422},
		{"a scalar has no fields", "application/json", "7", 422},
		{"text after the JSON", "application/json", valid + "x", 400},
		{"an object where text belongs", "application/json", `{"full_name":{"a":1}}`, 500},
		{"a list in an unknown field", "application/json", `{"shoes":[43],` + valid[1:], 200},
		{"a body at the limit", "application/json", valid + strings.Repeat(" ", maxBody-len(valid)), 200},
		{"a body over the limit", "application/json", valid + strings.Repeat(" ", maxBody-len(valid)+1), 413},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPut, customerPath(1), strings.NewReader(tt.body))
			r.Header.Set("Content-Type", tt.contentType)
			r.SetBasicAuth(AdminUsername, AdminPassword)
			w := httptest.NewRecorder()
			New(Config{}).ServeHTTP(w, r)
			wantStatus(t, w, tt.status)
		})
	}
}
