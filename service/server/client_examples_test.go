package server_test

import (
	"crypto/tls"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth/authtest"
)

// The client's own tests run its examples against a fake. A real gateway, with a sandbox store behind it, must give the
// same output.
func TestClientExamplesHoldForARealGateway(t *testing.T) {
	authority := authtest.NewAuthority(t)
	token, line, err := auth.NewToken("example", nil)
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := auth.ParseTokens([]byte(line), auth.Permissions{Status: true})
	if err != nil {
		t.Fatal(err)
	}
	g := start(t, options{
		callers: auth.Bearers{Tokens: func() *auth.Tokens { return tokens }},
		tls:     &tls.Config{Certificates: []tls.Certificate{authority.Server(t)}, MinVersion: tls.VersionTLS12},
	})
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, authority.PEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-run=^Example", "-v", ".")
	command.Dir = "../../client"
	command.Env = append(os.Environ(), "CGO_ENABLED=0", // as in CI, also under the race detector
		"GATEWAY_EXAMPLES_ADDR="+g.conn.Target(), "GATEWAY_EXAMPLES_CA="+ca, "GATEWAY_EXAMPLES_TOKEN="+token.Reveal())
	output, err := command.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, output)
	}
	if n := len(g.toStore.take()); n < 10 {
		t.Errorf("only %d requests reached the store:\n%s", n, output)
	}
}
