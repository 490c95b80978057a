package server_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"
)

// Both transports agree on suites with authenticated encryption only: on none of CBC or without forward secrecy.
func TestCipherSuitesOfTLS12(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "gateway"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	own := &tls.Config{
		Certificates: []tls.Certificate{certificate(t, "gateway"), {Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12,
	}
	reloading := &tls.Config{
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return own, nil }, MinVersion: tls.VersionTLS12,
	}
	for _, cfg := range []*tls.Config{own, reloading} {
		g := startTLS(t, cfg)
		for protocol, address := range map[string]string{"h2": g.conn.Target(), "http/1.1": strings.TrimPrefix(g.url, "http://")} {
			for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
				if len(suite.SupportedVersions) == 1 && suite.SupportedVersions[0] == tls.VersionTLS13 {
					continue
				}
				wanted := strings.HasPrefix(suite.Name, "TLS_ECDHE_") && (strings.Contains(suite.Name, "_GCM_") || strings.Contains(suite.Name, "_CHACHA20_"))
				t.Run(fmt.Sprintf("%s/%s", protocol, suite.Name), func(t *testing.T) {
					dialer := &tls.Dialer{Config: &tls.Config{
						InsecureSkipVerify: true, NextProtos: []string{protocol},
						MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{suite.ID},
					}}
					conn, err := dialer.DialContext(t.Context(), "tcp", address)
					if (err == nil) != wanted {
						t.Errorf("want an agreement: %v; the handshake ends with %v", wanted, err)
					}
					if err == nil {
						_ = conn.Close()
					}
				})
			}
		}
	}
}
