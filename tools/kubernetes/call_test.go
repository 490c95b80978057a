package kubernetes

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/cmd/fluentcart-gateway/config"
)

// callerName is in the certificate, which is that of the gateway and that of its caller.
const callerName = "orders.internal"

// call updates a customer over JSON, with the credentials that the gateway asks for.
func call(t testing.TB, settings *config.Config, secrets, port, token string) {
	t.Helper()
	scheme, client := "http", &http.Client{Timeout: 10 * time.Second}
	if settings.TLSCert != "" {
		scheme = "https"
		folder := filepath.Join(secrets, "fluentcart-gateway-tls")
		pair, err := tls.LoadX509KeyPair(filepath.Join(folder, "tls.crt"), filepath.Join(folder, "tls.key"))
		if err != nil {
			t.Fatal(err)
		}
		authority, err := os.ReadFile(filepath.Join(folder, "ca.crt"))
		if err != nil {
			t.Fatal(err)
		}
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(authority)
		client.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: callerName}}
		if settings.CallerAuth == config.AuthMTLS {
			client.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: callerName, Certificates: []tls.Certificate{pair}}}
		}
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, scheme+"://127.0.0.1:"+port+"/v1/customers/1", strings.NewReader(`{"city":"Nice"}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if settings.CallerAuth == config.AuthToken {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK || !strings.Contains(string(body), "Nice") {
		t.Errorf("%s: %v\n%s", response.Status, err, body)
	}
}

// createCertificates writes a Secret as cert-manager does.
func createCertificates(t testing.TB, folder string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: callerName}, DNSNames: []string{callerName},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})
	writeFile(t, filepath.Join(folder, "tls.crt"), text, 0o600)
	writeFile(t, filepath.Join(folder, "ca.crt"), text, 0o600)
	writeFile(t, filepath.Join(folder, "tls.key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600)
}
