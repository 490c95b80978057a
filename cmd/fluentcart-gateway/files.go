package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/filereload"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/secret"
)

// files are what the configuration points to, each as it is now. Those that it does not point to are nil.
type files struct {
	password, redisPassword *filereload.Value[secret.Text]
	tokens                  *filereload.Value[*auth.Tokens]
	tls                     *filereload.Value[*tls.Config]
	clientCA                *filereload.Value[*x509.CertPool]
	storeCA                 *filereload.Value[*x509.CertPool]

	watched []filereload.File
}

// load reads a file, or files that belong together, from now on.
func load[T any](c *serveConfig, target **filereload.Value[T], parse func([][]byte) (T, error), sources ...filereload.Source) error {
	value, err := filereload.Load(filereload.Config[T]{Sources: sources, Make: parse, Logger: c.logger})
	if err != nil {
		return err
	}
	*target = value
	c.files.watched = append(c.files.watched, value)
	return nil
}

func parsePassword(contents [][]byte) (secret.Text, error) {
	password := strings.TrimSpace(string(contents[0]))
	switch {
	case password == "":
		return secret.Text{}, errors.New("is empty: write the password into it")
	case strings.ContainsFunc(password, unicode.IsControl):
		return secret.Text{}, errors.New("has more than one line: write the password into it, and nothing else")
	}
	return secret.New(password), nil
}

// parseKeyPair makes the TLS configuration of both doors of a certificate, with those of its issuers behind it, and its key.
func parseKeyPair(contents [][]byte) (*tls.Config, error) {
	pair, err := tls.X509KeyPair(contents[0], contents[1])
	if err != nil {
		return nil, errors.New(strings.TrimPrefix(err.Error(), "tls: ") + "; give a certificate and its private key in PEM")
	}
	switch now := time.Now(); {
	case now.After(pair.Leaf.NotAfter):
		return nil, fmt.Errorf("the certificate expired at %s: give a newer one", pair.Leaf.NotAfter.UTC().Format(time.RFC3339))
	case now.Before(pair.Leaf.NotBefore):
		return nil, fmt.Errorf("the certificate is not valid before %s: look at the clock, or give another one", pair.Leaf.NotBefore.UTC().Format(time.RFC3339))
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}, nil
}

// parseClientDoor is parseKeyPair where callers must have certificates as well.
func parseClientDoor(contents [][]byte) (*tls.Config, error) {
	door, err := parseKeyPair(contents)
	if err != nil {
		return nil, err
	}
	if door.ClientCAs, err = parseRoots(contents[2:]); err != nil {
		return nil, err
	}
	door.ClientAuth = tls.RequireAndVerifyClientCert
	return door, nil
}

// parseRoots reads certificates in PEM. Unlike x509's own reading it takes nothing for good that it does not understand.
func parseRoots(contents [][]byte) (*x509.CertPool, error) {
	pool, found := x509.NewCertPool(), false
	for block, rest := pem.Decode(contents[0]); block != nil; block, rest = pem.Decode(rest) {
		certificate, err := x509.ParseCertificate(block.Bytes)
		if block.Type != "CERTIFICATE" || err != nil {
			return nil, fmt.Errorf("has something other than certificates (%q): give those of the issuers in PEM, and nothing else", block.Type)
		}
		pool.AddCert(certificate)
		found = true
	}
	if !found {
		return nil, errors.New("has no certificate: give those of the issuers in PEM")
	}
	return pool, nil
}
