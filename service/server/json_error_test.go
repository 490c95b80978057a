package server_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What the JSON door refuses leaves a line that says what was wrong: the reason, and those names of fields that are
// the gateway's own. What a caller made up may be anything.
func TestRefusalsAtTheDoorAreLoggedWithoutTheCallersWords(t *testing.T) {
	for _, refused := range []struct {
		name, path, body string
		header           http.Header
		reason           string
		fields           []string
	}{
		{"a field of the wrong type", "/v1/customers/1", `{"city":1,"notes":[]}`, nil, "INVALID_FIELD", []string{"city", "notes"}},
		{"unknown fields", "/v1/customers/1", `{"canary":1,"canary2":1,"city":"Lyon"}`, nil, "INVALID_FIELD", []string{"request"}},
		{"a body that is no JSON", "/v1/customers/1", `canary`, nil, "INVALID_FIELD", []string{"body"}},
		{"a field given twice", "/v1/customers/1", `{"email":"canary","email":"canary"}`, nil, "INVALID_FIELD", []string{"email"}},
		{"parameters", "/v1/customers/1?canary=1&etag=&validate_only=canary", `{}`, nil, "INVALID_FIELD", []string{"request", "etag", "validate_only"}},
		{"a broken query", "/v1/customers/1?etag=canary%zz", `{}`, nil, "INVALID_FIELD", []string{"query"}},
		{"an id", "/v1/customers/canary", `{}`, nil, "INVALID_FIELD", []string{"customer_id"}},
		{"a time", "/v1/customers/1", `{}`, http.Header{"Grpc-Timeout": {"canary"}}, "INVALID_FIELD", []string{"Grpc-Timeout"}},
		{"a compressed body", "/v1/customers/1", `{}`, http.Header{"Content-Encoding": {"canary"}}, "INVALID_FIELD", []string{"Content-Encoding"}},
		{"a tag", "/v1/customers/1", `{}`, http.Header{"If-Match": {"W/canary"}}, "INVALID_FIELD", []string{"etag"}},
		{"a page of elsewhere", "/v1/customers/1", `{}`, http.Header{"Origin": {"http://canary.example"}}, "ORIGIN_REFUSED", nil},
		{"a path", "/canary", `{}`, nil, "NO_SUCH_PATH", nil},
	} {
		t.Run(refused.name, func(t *testing.T) {
			g := start(t, options{})
			g.send(t, http.MethodPut, refused.path, refused.body, refused.header)
			log := g.log.String()
			var line struct {
				Msg, Reason string
				Fields      []string
			}
			if err := json.Unmarshal([]byte(log), &line); err != nil {
				t.Fatalf("not one line: %v\n%s", err, log)
			}
			if line.Msg != "request rejected" || line.Reason != refused.reason || strings.Contains(log, "canary") {
				t.Errorf("logged %s", log)
			}
			if diff := cmp.Diff(refused.fields, line.Fields); diff != "" {
				t.Errorf("fields (-want +got):\n%s", diff)
			}
		})
	}
}
