package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"strings"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/filereload"
)

// How callers prove who they are.
const (
	authNone  = "none"
	authToken = "token"
	authMTLS  = "mtls"
	authStore = "store"
)

// checkCallers checks who may call, and reads what tells them apart.
func (c *serveConfig) checkCallers() []error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	needs := func(flag, value, what string) {
		if value == "" {
			fault("--caller-auth=%s needs --%s: give %s", c.CallerAuth, flag, what)
		}
	}
	switch c.CallerAuth {
	case authNone:
	case authToken:
		needs("token-file", c.TokenFile, "a file of tokens, whose lines `fluentcart-gateway token NAME` makes")
	case authMTLS:
		needs("tls-cert", c.TLSCert, "the certificate of this gateway")
		needs("tls-client-ca", c.TLSClientCA, "a file with the certificates of those who issue the callers' certificates")
		needs("allow-client", strings.Join(c.AllowClient, ""), "the names in the certificates of those who may call")
	case authStore:
		for flag, value := range map[string]string{"store-username": c.StoreUsername, "store-password-file": c.StorePasswordFile} {
			if value != "" {
				fault("--caller-auth=store and --%s exclude each other: every caller brings an account of its own, and the gateway has none", flag)
			}
		}
	default:
		fault("--caller-auth=%s: must be none, token, mtls or store", c.CallerAuth)
	}
	for _, of := range []struct{ mode, flag, value string }{
		{authToken, "token-file", c.TokenFile},
		{authMTLS, "tls-client-ca", c.TLSClientCA},
		{authMTLS, "allow-client", strings.Join(c.AllowClient, "")},
	} {
		if of.value != "" && c.CallerAuth != of.mode {
			fault("--%s is of no use without --caller-auth=%s", of.flag, of.mode)
		}
	}
	if c.AllowUnauthenticated && c.CallerAuth != authNone {
		fault("--allow-unauthenticated contradicts --caller-auth=%s: leave one of them out", c.CallerAuth)
	}
	for _, text := range c.AllowClient {
		client, err := auth.ParseClient(text, c.usualPermissions())
		if err != nil {
			fault("--allow-client=%s: %w", text, err)
			continue
		}
		c.clients = append(c.clients, client)
	}
	if c.TokenFile != "" {
		parse := func(contents [][]byte) (*auth.Tokens, error) {
			return auth.ParseTokens(contents[0], c.usualPermissions())
		}
		if err := load(c, &c.files.tokens, parse, filereload.Source{Name: "--token-file", Path: c.TokenFile, Secret: true}); err != nil {
			faults = append(faults, err)
		} else if c.files.tokens.Get().Len() == 0 {
			fault("--token-file=%s has no tokens: make one with `fluentcart-gateway token NAME`, which prints the line for this file", c.TokenFile)
		}
	}
	return append(faults, c.checkTLS()...)
}

// checkTLS reads the certificates of the doors.
func (c *serveConfig) checkTLS() []error {
	var faults []error
	if c.TLSClientCA != "" {
		if err := load(c, &c.files.clientCA, parseRoots, filereload.Source{Name: "--tls-client-ca", Path: c.TLSClientCA}); err != nil {
			faults = append(faults, err)
		}
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return append(faults, errors.New("--tls-cert and --tls-key belong together: give both, or none"))
	}
	if c.TLSCert == "" || len(faults) > 0 {
		return faults
	}
	sources := []filereload.Source{{Name: "--tls-cert", Path: c.TLSCert}, {Name: "--tls-key", Path: c.TLSKey, Secret: true}}
	parse := parseKeyPair
	if c.TLSClientCA != "" {
		sources = append(sources, filereload.Source{Name: "--tls-client-ca", Path: c.TLSClientCA})
		parse = parseClientDoor
	}
	if err := load(c, &c.files.tls, parse, sources...); err != nil {
		faults = append(faults, err)
	}
	return faults
}

// usualPermissions are those of callers of whom nothing else is said.
func (c *serveConfig) usualPermissions() auth.Permissions {
	return auth.Permissions{Status: true, UserID: c.AllowUserLink}
}

// authenticator decides who may call.
func (c *serveConfig) authenticator() auth.Authenticator {
	switch c.CallerAuth {
	case authToken:
		return auth.Bearers{Tokens: c.files.tokens.Get}
	case authMTLS:
		return auth.NewCertificates(c.files.clientCA.Get, c.clients)
	case authStore:
		return auth.NewStoreUsers(c.usualPermissions())
	}
	return auth.Anyone{May: c.usualPermissions()}
}

// doorTLS is the TLS configuration of both doors, which is asked for anew with each connection; nil is none.
func (c *serveConfig) doorTLS() *tls.Config {
	if c.files.tls == nil {
		return nil
	}
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return c.files.tls.Get(), nil },
	}
}
