package server_test

import (
	"crypto/tls"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth/authtest"
)

// Who is refused can neither write many lines into the log, nor long ones.
func TestThoseWhoAreRefusedCannotFillTheLog(t *testing.T) {
	authority := authtest.NewAuthority(t)
	g := start(t, options{
		tls:     &tls.Config{Certificates: []tls.Certificate{authority.Server(t)}, MinVersion: tls.VersionTLS12},
		callers: auth.Bearers{Tokens: func() *auth.Tokens { return &auth.Tokens{} }},
	})
	address := strings.TrimPrefix(g.url, "http://")
	strange := &tls.Config{RootCAs: authority.Roots(), MinVersion: tls.VersionTLS12}
	for range 200 {
		strange.NextProtos = append(strange.NextProtos, strings.Repeat("x", 250))
	}
	for _, door := range []string{address, g.conn.Target()} {
		if conn, err := (&tls.Dialer{Config: strange}).DialContext(t.Context(), "tcp", door); err == nil {
			_ = conn.Close()
			t.Error("a protocol that nobody knows was agreed on")
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
	refused := 0
	for _, line := range lines {
		if len(line) > 1000 {
			t.Errorf("a line has %d bytes", len(line))
		}
		if strings.Contains(line, "request rejected") {
			refused++
		}
	}
	if most := 100 + int(20*took.Seconds()) + 1; refused < 90 || refused > most {
		t.Errorf("%d lines of 150 refusals in %s, want 100 and 20 a second", refused, took)
	}
}
