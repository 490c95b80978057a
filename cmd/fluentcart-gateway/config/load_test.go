package config

import (
	"crypto/x509"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth/authtest"
)

// Files that would admit unknown callers, or whose secrets everyone can read, are refused before anything listens.
func TestUnsafeFilesAreRefused(t *testing.T) {
	directory := t.TempDir()
	file := func(name, content string, mode os.FileMode) string {
		path := filepath.Join(directory, name)
		if err := errors.Join(os.WriteFile(path, []byte(content), 0o600), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	authority := authtest.NewAuthority(t)
	certificate, key := authtest.PEM(t, authority.Server(t))
	expired, expiredKey := authtest.PEM(t, authority.Server(t, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Hour) }))
	_, line, err := auth.NewToken("orders", nil)
	if err != nil {
		t.Fatal(err)
	}
	good := file("password", "secret", 0o600)
	cert, certKey, ca := file("cert", string(certificate), 0o644), file("key", string(key), 0o640), file("ca", string(authority.PEM()), 0o644)
	tokens, openTokens := file("tokens", line, 0o600), file("open-tokens", line, 0o604)
	openPassword, openKey := file("open-password", "secret", 0o644), file("open-key", string(key), 0o604)
	store := []string{"--store-url=https://shop.example.com", "--store-username=me"}
	for _, row := range []struct {
		name   string
		args   []string
		faults []string
	}{
		{"a password that everyone can read", append(store, "--store-password-file="+openPassword), []string{
			"--store-password-file: " + openPassword + " is open to everyone on this machine (mode 0644): chmod 600 it, or 640 for a group",
		}},
		{"a password that does not exist", append(store, "--store-password-file="+good+"x"), []string{"--store-password-file: open " + good + "x: no such file or directory; give a file that this process can read"}},
		{"a password of two lines", append(store, "--store-password-file="+file("two", "secret\nsecret", 0o600)), []string{"--store-password-file=" + directory + "/two: has more than one line"}},
		{"token, and unauthenticated callers", []string{"--sandbox", "--caller-auth=token", "--token-file=" + tokens, "--allow-unauthenticated"}, []string{"--allow-unauthenticated contradicts --caller-auth=token: leave one of them out"}},
		{"tokens that everyone can read", []string{"--sandbox", "--caller-auth=token", "--token-file=" + openTokens}, []string{"--token-file: " + openTokens + " is open to everyone"}},
		{"tokens in plain text", []string{"--sandbox", "--caller-auth=token", "--token-file=" + file("plain", "orders fcgw_secret", 0o600)}, []string{"--token-file=" + directory + "/plain: line 1: the second column must be sha256:"}},
		{"a file without tokens", []string{"--sandbox", "--caller-auth=token", "--token-file=" + file("none", "# nothing\n", 0o600)}, []string{"--token-file=" + directory + "/none has no tokens: make one with"}},
		{"a token file without token", []string{"--sandbox", "--token-file=" + tokens}, []string{"--token-file has no effect without --caller-auth=token"}},
		{"client certificates without mtls, and bad names", []string{"--sandbox", "--tls-client-ca=" + ca, "--allow-client=*.internal,crm=email"}, []string{
			"--allow-client has no effect without --caller-auth=mtls", "--allow-client=*.internal: must be a DNS name", "--allow-client=crm=email: ", "--tls-client-ca has no effect without --caller-auth=mtls",
		}},
		{"a certificate without its key", []string{"--sandbox", "--tls-cert=" + cert}, []string{"--tls-cert and --tls-key belong together: give both, or none"}},
		{"a key that everyone can read", []string{"--sandbox", "--tls-cert=" + cert, "--tls-key=" + openKey}, []string{"--tls-key: " + openKey + " is open to everyone"}},
		{"a certificate with the key of a different one", []string{"--sandbox", "--tls-cert=" + cert, "--tls-key=" + file("other-key", string(expiredKey), 0o600)}, []string{
			"--tls-cert=" + cert + " and --tls-key=" + directory + "/other-key: private key does not match public key; give a certificate and its private key in PEM",
		}},
		{"an expired certificate", []string{"--sandbox", "--tls-cert=" + file("expired", string(expired), 0o600), "--tls-key=" + file("expired-key", string(expiredKey), 0o600)}, []string{
			"--tls-cert=" + directory + "/expired and --tls-key=" + directory + "/expired-key: the certificate expired at ",
		}},
		{"a key in place of CA certificates", []string{"--sandbox", "--caller-auth=mtls", "--allow-client=orders", "--tls-cert=" + cert, "--tls-key=" + certKey, "--tls-client-ca=" + certKey}, []string{
			"--tls-client-ca=" + certKey + `: has something other than certificates ("PRIVATE KEY")`,
		}},
		{"an account beside those of the callers", append(store, "--store-password-file="+good, "--caller-auth=store"), []string{
			"--caller-auth=store and --store-password-file exclude each other", "--caller-auth=store and --store-username exclude each other",
		}},
		{"a password without Redis", []string{"--sandbox", "--redis-password-file=" + good}, []string{"--redis-password-file has no effect without --redis-url"}},
		{"CA certificates for the sandbox store", []string{"--sandbox", "--store-ca=" + ca}, []string{"--sandbox and --store-ca exclude each other"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := Load(parse(t, row.args...), slog.New(slog.DiscardHandler))
			checkFaults(t, err, row.faults)
		})
	}
}
