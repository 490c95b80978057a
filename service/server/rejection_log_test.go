package server_test

import (
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth/authtest"
)

// A rejected request leaves a line with the reason, and with those field names that are the gateway's own. Names that the
// caller chose may hold anything. A request that would have been a call is logged as one.
func TestRejectedRequestIsLoggedWithoutTheCallersWords(t *testing.T) {
	for _, row := range []struct {
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
		{"a web page of another origin", "/v1/customers/1", `{}`, http.Header{"Origin": {"http://canary.example"}}, "ORIGIN_REFUSED", nil},
		{"a path", "/canary", `{}`, nil, "NO_SUCH_PATH", nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			g := start(t, options{})
			g.send(t, http.MethodPut, row.path, row.body, row.header)
			_, log, _ := strings.Cut(g.log.String(), "\"ready\"}\n")
			var line struct {
				Msg, Reason string
				Fields      []string
			}
			if err := json.Unmarshal([]byte(log), &line); err != nil {
				t.Fatalf("not one line: %v\n%s", err, log)
			}
			message := "call"
			if row.reason != "INVALID_FIELD" {
				message = "request rejected"
			}
			if line.Msg != message || line.Reason != row.reason || strings.Contains(log, "canary") {
				t.Errorf("logged %s", log)
			}
			if diff := cmp.Diff(row.fields, line.Fields); diff != "" {
				t.Errorf("fields (-want +got):\n%s", diff)
			}
		})
	}
}

// Rejected clients can write neither many lines to the log nor long ones.
func TestRejectionsCannotFillTheLog(t *testing.T) {
	authority := authtest.NewAuthority(t)
	g := start(t, options{
		tls:     &tls.Config{Certificates: []tls.Certificate{authority.Server(t)}, MinVersion: tls.VersionTLS12},
		callers: auth.Bearers{Tokens: func() *auth.Tokens { return &auth.Tokens{} }},
	})
	address := strings.TrimPrefix(g.url, "http://")
	unknown := &tls.Config{RootCAs: authority.Roots(), MinVersion: tls.VersionTLS12}
	for range 200 {
		unknown.NextProtos = append(unknown.NextProtos, strings.Repeat("x", 250))
	}
	for _, transport := range []string{address, g.conn.Target()} {
		if conn, err := (&tls.Dialer{Config: unknown}).DialContext(t.Context(), "tcp", transport); err == nil {
			_ = conn.Close()
			t.Error("an unknown protocol was agreed on")
		}
	}

	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: authority.Roots(), MinVersion: tls.VersionTLS12}, DisableKeepAlives: true}
	start := time.Now()
	for range 150 {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, "https://"+address+"/v1/customers/1", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		response, err := transport.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusUnauthorized {
			t.Fatalf("%s", response.Status)
		}
	}
	took := time.Since(start)
	g.stopNow(t)
	lines := strings.Split(strings.TrimSpace(g.log.String()), "\n")
	rejected := 0
	for _, line := range lines {
		if len(line) > 1000 {
			t.Errorf("a line has %d bytes", len(line))
		}
		if strings.Contains(line, "request rejected") {
			rejected++
		}
	}
	if most := 100 + int(20*took.Seconds()) + 1; rejected < 90 || rejected > most {
		t.Errorf("%d lines of 150 rejections in %s, want 100 and 20 a second", rejected, took)
	}
}

func TestOptionsOfTheWholeServerIsRejected(t *testing.T) {
	g := start(t, options{})
	request, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, g.url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.URL.Opaque = "*"
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, _ := io.ReadAll(response.Body); response.StatusCode != http.StatusNotFound || !strings.Contains(string(body), "NO_SUCH_PATH") {
		t.Errorf("%s: %s", response.Status, body)
	}
}
