package e2e

import (
	"crypto/tls"
	"strings"
	"testing"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth/authtest"
)

// rotatingIdentity is a kind of caller credentials, which are replaced as well.
type rotatingIdentity interface {
	// flags are the flags of the gateway for it; replace makes new credentials, which are valid besides the last ones.
	flags() []string
	replace(t *testing.T) identity
}

// rotatingTokens are bearer tokens.
type rotatingTokens struct {
	of    *rotated
	lines []string
}

func (p *rotatingTokens) flags() []string {
	return []string{"--caller-auth=token", "--token-file=" + p.of.path("tokens")}
}

func (p *rotatingTokens) replace(t *testing.T) identity {
	t.Helper()
	token, line, err := auth.NewToken("orders", nil)
	if err != nil {
		t.Fatal(err)
	}
	p.lines = append([]string{line}, p.lines...)
	p.lines = p.lines[:min(len(p.lines), 2)]
	p.of.put(t, "tokens", []byte(strings.Join(p.lines, "\n")), len(p.lines)%2 == 0)
	return identity{&tls.Config{RootCAs: p.of.authority.Roots(), MinVersion: tls.VersionTLS12}, "Bearer " + token.Reveal()}
}

// rotatingIssuers are client certificates, each with a CA of its own.
type rotatingIssuers struct {
	of      *rotated
	issuers [][]byte
}

func (p *rotatingIssuers) flags() []string {
	return []string{"--caller-auth=mtls", "--tls-client-ca=" + p.of.path("ca.pem"), "--allow-client=orders.internal"}
}

func (p *rotatingIssuers) replace(t *testing.T) identity {
	t.Helper()
	issuer := authtest.NewAuthority(t)
	p.issuers = append([][]byte{issuer.PEM()}, p.issuers...)
	p.issuers = p.issuers[:min(len(p.issuers), 2)]
	var all []byte
	for _, one := range p.issuers {
		all = append(all, one...)
	}
	p.of.put(t, "ca.pem", all, false)
	own := issuer.Client(t, []string{"orders.internal"})
	return identity{tls: &tls.Config{RootCAs: p.of.authority.Roots(), Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS12}}
}
