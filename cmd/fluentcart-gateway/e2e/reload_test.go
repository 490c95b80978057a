package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"io"
	"log"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth/authtest"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// A certificate that does not match its key, a token in plain text and an empty password are not used: the earlier contents
// stay in use.
func TestUnusableFilesLeaveTheEarlierContentsInUse(t *testing.T) {
	t.Parallel()
	r := &rotated{store: sandbox.New(sandbox.Config{}), authority: authtest.NewAuthority(t), directory: t.TempDir(), password: sandbox.AdminPassword}
	listening := httptest.NewServer(r)
	t.Cleanup(listening.Close)
	callers := &rotatingTokens{of: r}
	r.serveAs(t, true)
	r.put(t, "password", []byte(r.password), true)
	as := callers.replace(t)
	r.process = startGateway(t, listening.URL, append(callers.flags(),
		"--store-password-file="+r.path("password"),
		"--tls-cert="+r.path("cert.pem"), "--tls-key="+r.path("key.pem"))...)

	other, _ := authtest.PEM(t, r.authority.Server(t, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Second) }))
	for name, content := range map[string]string{"cert.pem": string(other), "tokens": "orders fcgw_plain-canary", "password": "\n"} {
		r.put(t, name, []byte(content), false)
	}
	for _, file := range []string{"--tls-cert=", "--token-file=", "--store-password-file="} {
		if !waitFor(t, 10*time.Second, func() bool {
			return strings.Contains(r.log.String(), `in use","file":"`+file)
		}) {
			t.Errorf("the log does not report the unusable %s:\n%s", file, r.log)
		}
	}
	if err := r.call(t, as, 1, "Lyon"); err != nil {
		t.Errorf("a call failed: %v", err)
	}
	if strings.Contains(r.log.String(), "canary") {
		t.Errorf("the log shows the contents of a file:\n%s", r.log)
	}
	r.put(t, "tokens", []byte("# no tokens\n"), true)
	if !waitFor(t, rotationTime, func() bool { return r.call(t, as, 1, "Lyon") != nil }) {
		t.Error("the last token was removed, and its bearer is admitted")
	}
}

// With --caller-auth=store the gateway has no account of its own: it forwards that of its caller.
func TestStoreGetsTheCallersOwnAccount(t *testing.T) {
	r := &rotated{store: sandbox.New(sandbox.Config{})}
	listening := httptest.NewServer(r)
	t.Cleanup(listening.Close)
	r.process = startGateway(t, listening.URL, "--caller-auth=store")
	for _, password := range []string{"one", "two"} {
		r.store.SetPasswords(sandbox.AdminUsername, password)
		as := identity{authorization: "Basic " + base64.StdEncoding.EncodeToString([]byte(sandbox.AdminUsername+":"+password))}
		if err := r.call(t, as, 1, "City of "+password); err != nil {
			t.Errorf("a call failed: %v", err)
		}
		if sent := *r.sentLast.Load(); sent != password {
			t.Errorf("the store got %q, want %q", sent, password)
		}
	}
	_, overJSON, _ := r.connectUntilEnd(t, identity{authorization: "Basic " + base64.StdEncoding.EncodeToString([]byte("admin:one"))})
	_, err := overJSON.UpdateCustomer(t.Context(), attempts[0].request(1))
	if status.Code(err) != codes.Unauthenticated {
		t.Errorf("with a revoked password: %v", err)
	}
}

// The certificate of a store may have a private CA, whose file is reloaded as well.
func TestStoreWithAPrivateCAIsReached(t *testing.T) {
	t.Parallel()
	r := &rotated{store: sandbox.New(sandbox.Config{}), authority: authtest.NewAuthority(t), directory: t.TempDir()}
	listening := httptest.NewUnstartedServer(r)
	listening.Config.ErrorLog = log.New(io.Discard, "", 0) // it logs each handshake that fails
	listening.TLS = &tls.Config{Certificates: []tls.Certificate{r.authority.Server(t)}, MinVersion: tls.VersionTLS12}
	listening.StartTLS()
	t.Cleanup(listening.Close)
	r.put(t, "ca.pem", authtest.NewAuthority(t).PEM(), true)
	r.process = startGateway(t, listening.URL, "--store-ca="+r.path("ca.pem"))
	_, err := r.customers.UpdateCustomer(t.Context(), attempts[0].request(1))
	if got := decision(err); got != "Internal STORE_TLS not_sent" {
		t.Errorf("with a different CA: %s", got)
	}
	r.put(t, "ca.pem", r.authority.PEM(), false)
	if !waitFor(t, rotationTime, func() bool { return r.call(t, identity{}, 1, "Lyon") == nil }) {
		t.Errorf("with the CA of the store: %v", r.call(t, identity{}, 1, "Lyon"))
	}
}
