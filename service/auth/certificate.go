package auth

import (
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Client is a caller that is identified by a name in its certificate.
type Client struct {
	// SAN is a subject alternative name in full, without wildcards: a DNS name, an IP address, or a URI such as
	// spiffe://example.org/orders.
	SAN string
	// May holds what the caller may change.
	May Permissions
}

// ParseClient reads NAME or NAME=FIELDS. FIELDS are the fields that the caller may change, separated by +, or - for none.
// Without FIELDS the caller has the usual permissions. The error says what would be right.
func ParseClient(text string, usual Permissions) (Client, error) {
	name, fields, given := strings.Cut(text, "=")
	client := Client{SAN: strings.ToLower(name), May: usual}
	if isURI(name) {
		client.SAN = name // in a URI the case of letters matters, except in the scheme and the host
	} else if address := net.ParseIP(name); address != nil {
		client.SAN = address.String()
	}
	if client.SAN == "" || strings.ContainsAny(client.SAN, " \t\r\n*") {
		return Client{}, errors.New("must be a DNS name, an IP address or a URI, in full, from the subject alternative names of the caller's certificate")
	}
	if given {
		permissions, err := ParsePermissions(strings.ReplaceAll(fields, "+", ","))
		if err != nil {
			return Client{}, errors.New("after the = must follow what the caller may change: status, user_id, status+user_id, or - for neither")
		}
		client.May = permissions
	}
	return client, nil
}

// maxVerified bounds the number of certificates whose verification is cached.
const maxVerified = 4096

// Certificates is an Authenticator for callers with client certificates.
type Certificates struct {
	allowed []*Caller
	roots   func() *x509.CertPool

	mu         sync.Mutex
	verifiedBy *x509.CertPool                  // the roots with which the certificates in verified were verified
	verified   map[[sha256.Size]byte]time.Time // until when, by the hash of the certificate
}

// NewCertificates returns an Authenticator for certificates that one of the current roots has issued and that hold one of
// the allowed names. If a certificate holds several, the first of the list identifies the caller.
func NewCertificates(roots func() *x509.CertPool, allowed []Client) *Certificates {
	c := &Certificates{roots: roots}
	for _, client := range allowed {
		c.allowed = append(c.allowed, &Caller{Name: client.SAN, Authenticated: true, Share: client.SAN, May: client.May})
	}
	return c
}

// Authenticate verifies the certificate with each call, not only when the connection is opened: while a connection lasts,
// its certificate may expire and its root may be revoked.
func (c *Certificates) Authenticate(presented Presented) (*Caller, error) {
	if presented.TLS == nil || len(presented.TLS.PeerCertificates) == 0 {
		return nil, &RefusedError{Problem: "the connection has no client certificate; connect with the one that the operator of this gateway gave out"}
	}
	chain := presented.TLS.PeerCertificates
	if err := c.verify(chain); err != nil {
		return nil, &RefusedError{Problem: "the client certificate has expired, or its issuer is not trusted here any more; connect with a newer one"}
	}
	for _, caller := range c.allowed {
		if hasSAN(chain[0], caller.Name) {
			return caller, nil
		}
	}
	return nil, &RefusedError{Authenticated: true, Problem: "none of the names in the client certificate may call; the operator of this gateway can allow one with --allow-client"}
}

// Challenge returns no challenge: a certificate is not sent in a header.
func (*Certificates) Challenge() string { return "" }

func (c *Certificates) verify(chain []*x509.Certificate) error {
	roots, now := c.roots(), time.Now()
	key := sha256.Sum256(chain[0].Raw)
	c.mu.Lock()
	if c.verifiedBy != roots || len(c.verified) >= maxVerified {
		c.verifiedBy, c.verified = roots, map[[sha256.Size]byte]time.Time{}
	}
	until, known := c.verified[key]
	c.mu.Unlock()
	if known && now.Before(until) {
		return nil
	}
	intermediates := x509.NewCertPool()
	for _, certificate := range chain[1:] {
		intermediates.AddCert(certificate)
	}
	chains, err := chain[0].Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: intermediates, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return fmt.Errorf("client certificate: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.verifiedBy == roots {
		c.verified[key] = expiryOf(chains[0])
	}
	return nil
}

// expiryOf returns the time when the first certificate of a chain expires.
func expiryOf(chain []*x509.Certificate) time.Time {
	expiry := chain[0].NotAfter
	for _, certificate := range chain[1:] {
		if certificate.NotAfter.Before(expiry) {
			expiry = certificate.NotAfter
		}
	}
	return expiry
}

func isURI(name string) bool { return strings.Contains(name, "://") }

// hasSAN compares only names of the same kind. An issuer may be allowed to issue DNS names, which can look like addresses
// and URIs, without being allowed to issue addresses and URIs.
func hasSAN(certificate *x509.Certificate, san string) bool {
	switch address := net.ParseIP(san); {
	case isURI(san):
		return slices.ContainsFunc(certificate.URIs, func(uri *url.URL) bool { return uri.String() == san })
	case address != nil:
		return slices.ContainsFunc(certificate.IPAddresses, address.Equal)
	}
	return slices.ContainsFunc(certificate.DNSNames, func(name string) bool { return strings.EqualFold(name, san) })
}
