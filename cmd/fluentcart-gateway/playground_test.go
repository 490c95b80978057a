package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func statusOf(t *testing.T, method, url, body string, header map[string]string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range header {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode
}

func TestPlaygroundIsServedAsTheFlagsSay(t *testing.T) {
	tokens := filepath.Join(t.TempDir(), "tokens")
	if code := run(t.Context(), []string{"token", "caller", "--token-file=" + tokens}, &strings.Builder{}, &strings.Builder{}); code != exitOK {
		t.Fatalf("exit code %d", code)
	}
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte("abcd efgh ijkl mnop qrst uvwx"), 0o600); err != nil {
		t.Fatal(err)
	}
	realStore := []string{"--store-url=http://127.0.0.1:1", "--store-username=gateway", "--store-password-file=" + password, "--grpc-addr=127.0.0.1:0", "--http-addr=127.0.0.1:0", "--admin-addr=127.0.0.1:0"}
	for name, test := range map[string]struct {
		args   []string
		served bool
	}{
		"on with the sandbox":               {sandboxOnFreePorts, true},
		"off with the sandbox":              {append([]string{"--no-docs"}, sandboxOnFreePorts...), false},
		"public where callers authenticate": {append([]string{"--caller-auth=token", "--token-file=" + tokens}, sandboxOnFreePorts...), true},
		"off with a store":                  {realStore, false},
		"on with a store":                   {append([]string{"--docs"}, realStore...), true},
	} {
		t.Run(name, func(t *testing.T) {
			banner := startCommand(t, test.args...)
			want := http.StatusNotFound
			if test.served {
				want = http.StatusOK
			}
			gateway := address(t, banner, "JSON")
			for _, path := range []string{"/docs", "/openapi.json"} {
				if got := statusOf(t, http.MethodGet, gateway+path, "", nil); got != want {
					t.Errorf("%s: status %d, want %d", path, got, want)
				}
			}
			if got := strings.Contains(banner, "\ndocs      "+gateway+"/docs\n"); strings.Contains(banner, "grpcurl") && got != test.served {
				t.Errorf("the banner names the playground: %v, want %v:\n%s", got, test.served, banner)
			}
		})
	}
}

// The playground's calls are of the gateway's own origin; those of other pages stay refused.
func TestBrowsersMayCallFromThePlaygroundOnly(t *testing.T) {
	gateway := address(t, startCommand(t, sandboxOnFreePorts...), "JSON")
	for name, test := range map[string]struct {
		header map[string]string
		want   int
	}{
		"the playground":            {map[string]string{"Origin": gateway, "Sec-Fetch-Site": "same-origin"}, http.StatusOK},
		"a page of another origin":  {map[string]string{"Origin": "https://other.example", "Sec-Fetch-Site": "cross-site"}, http.StatusForbidden},
		"a page of another port":    {map[string]string{"Origin": "http://127.0.0.1:1", "Sec-Fetch-Site": "same-site"}, http.StatusForbidden},
		"a page in a sandbox frame": {map[string]string{"Origin": "null", "Sec-Fetch-Site": "cross-site"}, http.StatusForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			if got := statusOf(t, http.MethodPut, gateway+"/v1/customers/1", `{"city":"Lyon"}`, test.header); got != test.want {
				t.Errorf("status %d, want %d", got, test.want)
			}
		})
	}
}
