package server_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzHTTPGateway sends any request line's tail and any body to the HTTP/JSON gateway. Whatever they are, the response is
// JSON with a status that fits, and only a 200 without validate_only may have changed the customer.
func FuzzHTTPGateway(f *testing.F) {
	for _, body := range []string{
		`{"city":"Lyon"}`, `{"email":"customer@example.com","full_name":"John Doe Updated","user_id":0}`, `{"user_id":"0","notes":null}`,
		`{"city":["Lyon"]}`, `{"city":1}`, `{"citty":"Lyon"}`, `{"city":"a","city":"b"}`, `[]`, `null`, ``, `{`, `{}{}`, "\xff", `{"city":"\ud800"}`,
		`{"id":"x","aov":{},"labels":[1]}`, strings.Repeat(`{"a":`, 1000), `{"notes":"` + strings.Repeat("x", 70000) + `"}`,
	} {
		f.Add("PUT", "1", "", body)
	}
	f.Add("PATCH", "2", "update_mask=city,notes&validate_only=true", `{"city":"x"}`)
	f.Add("POST", "1", "update_mask=*", `{"city":"x"}`)
	f.Add("PUT", "01", "validateonly=true", `{"city":"x"}`)
	f.Add("0", strings.Repeat("r", 26)+"\xb1\xcf\xf1\xf2\xc8h\xd9\x1f1", "", `{"notes":"`+strings.Repeat("x", 70000)+`"}`)
	f.Add("PUT", "1%2f..", "etag=%zz", `{"city":"x"}`)
	paths, err := filepath.Glob("testdata/samples/*")
	if err != nil || len(paths) == 0 {
		f.Fatalf("no samples: %v", err)
	}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add("PUT", "1", "", string(content))
	}
	g := start(f, options{})
	f.Fuzz(func(t *testing.T, method, id, query, body string) {
		request, err := http.NewRequestWithContext(t.Context(), method, "http://localhost/v1/customers/"+id+"?"+query, strings.NewReader(body))
		if err != nil {
			return // not a request line
		}
		before := g.store.Rows()
		response := httptest.NewRecorder()
		g.json.ServeHTTP(response, request)
		if !json.Valid(response.Body.Bytes()) {
			t.Fatalf("%d, not JSON: %q", response.Code, response.Body)
		}
		switch {
		case response.Code == http.StatusOK:
		case response.Code < 400 || response.Code == http.StatusInternalServerError:
			t.Errorf("status %d: %s", response.Code, response.Body)
		}
		if response.Code != http.StatusOK || strings.Contains(query, "validate_only=true") {
			if diff := cmp.Diff(before, g.store.Rows()); diff != "" {
				t.Errorf("status %d, and rows changed:\n%s", response.Code, diff)
			}
		}
	})
}
