package playground_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/server/playground"
)

func get(t *testing.T, method, path, body string) *http.Response {
	t.Helper()
	recorder := httptest.NewRecorder()
	playground.New().ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body)))
	return recorder.Result()
}

func TestPagesAllowNothingButTheirOwnOrigin(t *testing.T) {
	for _, path := range []string{"/docs", "/docs/", "/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js", "/docs/favicon-32x32.png", "/docs/playground.css", "/docs/playground.js", "/openapi.json"} {
		response := get(t, http.MethodGet, path, "")
		if want := http.StatusOK; response.StatusCode != want && path != "/docs/" {
			t.Errorf("%s: status %d, want %d", path, response.StatusCode, want)
		}
		for name, want := range map[string]string{
			"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
			"X-Content-Type-Options":  "nosniff",
			"Referrer-Policy":         "no-referrer",
		} {
			if got := response.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
	}
}

func TestPagesAreOnlyThoseThatThePlaygroundNeeds(t *testing.T) {
	for _, path := range []string{"/", "/doc", "/docs/oauth2-redirect.html", "/docs/swagger-ui.js", "/docs/page/index.html", "/docs/../v1/customers/1", "/openapi.yaml", "/v1/customers/1"} {
		request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://gateway"+path, nil)
		if _, pattern := playground.New().Handler(request); pattern != "" {
			t.Errorf("%s is served, by %q", path, pattern)
		}
	}
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions} {
		request := httptest.NewRequestWithContext(t.Context(), method, "/docs", nil)
		if _, pattern := playground.New().Handler(request); pattern != "" {
			t.Errorf("%s is served, by %q", method, pattern)
		}
	}
}

func TestBodyOfARequestForAPageEndsItsConnection(t *testing.T) {
	if got := get(t, http.MethodGet, "/docs", "body").Header.Get("Connection"); got != "close" {
		t.Errorf("Connection is %q", got)
	}
	if got := get(t, http.MethodGet, "/docs", "").Header.Get("Connection"); got != "" {
		t.Errorf("without a body, Connection is %q", got)
	}
}

func TestDocumentIsThatOfVersion3(t *testing.T) {
	var document struct{ OpenAPI string }
	if err := json.NewDecoder(get(t, http.MethodGet, "/openapi.json", "").Body).Decode(&document); err != nil || !strings.HasPrefix(document.OpenAPI, "3.") {
		t.Errorf("version %q, %v", document.OpenAPI, err)
	}
}

// A browser would refuse them: see the policy above.
func TestOwnPagesNameNoOtherHostAndHaveNoInlineCode(t *testing.T) {
	files, err := filepath.Glob("page/*")
	if err != nil || len(files) == 0 {
		t.Fatalf("%v: %v", files, err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if found := regexp.MustCompile(`https?://|(src|href)="//| style=| on[a-z]+="|<style|<script>`).Find(content); found != nil {
			t.Errorf("%s has %s", file, found)
		}
	}
}
