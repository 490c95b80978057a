package config

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"
)

// parseKeyPair makes a TLS configuration, which both transports use, from a certificate, followed by its intermediate
// certificates, and the private key of the certificate.
func parseKeyPair(contents [][]byte) (*tls.Config, error) {
	pair, err := tls.X509KeyPair(contents[0], contents[1])
	if err != nil {
		return nil, errors.New(strings.TrimPrefix(err.Error(), "tls: ") + "; give a certificate and its private key in PEM")
	}
	switch now := time.Now(); {
	case now.After(pair.Leaf.NotAfter):
		return nil, fmt.Errorf("the certificate expired at %s: give a newer one", pair.Leaf.NotAfter.UTC().Format(time.RFC3339))
	case now.Before(pair.Leaf.NotBefore):
		return nil, fmt.Errorf("the certificate is not valid before %s: check the clock, or give a different certificate", pair.Leaf.NotBefore.UTC().Format(time.RFC3339))
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}, nil
}

// parseMutualTLS is parseKeyPair for callers that must have certificates as well. The third content is their CA.
func parseMutualTLS(contents [][]byte) (*tls.Config, error) {
	cfg, err := parseKeyPair(contents)
	if err != nil {
		return nil, err
	}
	if cfg.ClientCAs, err = parseCertificates(contents[2:]); err != nil {
		return nil, err
	}
	cfg.ClientAuth = tls.RequireAndVerifyClientCert
	return cfg, nil
}

// parseCertificates reads certificates in PEM. x509's AppendCertsFromPEM skips what it cannot parse; this is an error
// here.
func parseCertificates(contents [][]byte) (*x509.CertPool, error) {
	pool, found := x509.NewCertPool(), false
	for block, rest := pem.Decode(contents[0]); block != nil; block, rest = pem.Decode(rest) {
		certificate, err := x509.ParseCertificate(block.Bytes)
		if block.Type != "CERTIFICATE" || err != nil {
			return nil, fmt.Errorf("has something other than certificates (%q): give CA certificates in PEM, and nothing else", block.Type)
		}
		pool.AddCert(certificate)
		found = true
	}
	if !found {
		return nil, errors.New("has no certificate: give CA certificates in PEM")
	}
	return pool, nil
}
