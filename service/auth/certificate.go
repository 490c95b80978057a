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

// Client is a caller that is known by a name in its certificate.
type Client struct {
	// SAN is a subject alternative name: a DNS name, an IP address, or a URI such as spiffe://example.org/orders.
	SAN string
	// May is what it may change.
	May Permissions
}

// ParseClient reads NAME or NAME=FIELDS, where the fields are those that the caller may change, with a + between, or -
// for none; without them they are usual.
func ParseClient(text string, usual Permissions) (Client, error) {
	name, fields, given := strings.Cut(text, "=")
	client := Client{SAN: strings.ToLower(name), May: usual}
	if isURI(name) {
		client.SAN = name // of a URI only the scheme and the host do not tell small letters from capitals
	} else if address := net.ParseIP(name); address != nil {
		client.SAN = address.String()
	}
	if client.SAN == "" || strings.ContainsAny(client.SAN, " \t\r\n*") {
		return Client{}, errors.New("must be a DNS name, an IP address or a URI that the certificate of a caller has among its subject alternative names, in full")
	}
	if given {
		may, err := ParsePermissions(strings.ReplaceAll(fields, "+", ","))
		if err != nil {
			return Client{}, errors.New("behind the = must stand what the caller may change: status, user_id, status+user_id, or - for neither")
		}
		client.May = may
	}
	return client, nil
}

// maxVerified bounds how many certificates are remembered as verified.
const maxVerified = 4096

// Certificates are callers with client certificates.
type Certificates struct {
	allowed []*Caller
	roots   func() *x509.CertPool

	mu         sync.Mutex
	verifiedBy *x509.CertPool // the roots that verified is about
	verified   map[[sha256.Size]byte]time.Time
}

// NewCertificates lets in who has a certificate that the newest roots vouch for, and in it one of the names. Whoever
// has several of them is the first in the list.
func NewCertificates(roots func() *x509.CertPool, allowed []Client) *Certificates {
	c := &Certificates{roots: roots}
	for _, client := range allowed {
		c.allowed = append(c.allowed, &Caller{Name: client.SAN, Authenticated: true, Share: client.SAN, May: client.May})
	}
	return c
}

// Authenticate verifies the certificate anew for each call, and not only when a connection begins: connections live for
// long, and in that time a certificate expires and roots are taken back.
func (c *Certificates) Authenticate(presented Presented) (*Caller, error) {
	if presented.TLS == nil || len(presented.TLS.PeerCertificates) == 0 {
		return nil, &RefusedError{Problem: "the connection has no client certificate; connect with the one that the operator of this gateway gave out"}
	}
	chain := presented.TLS.PeerCertificates
	if err := c.verify(chain); err != nil {
		return nil, &RefusedError{Problem: "the client certificate has expired, or its issuer is not trusted here any more; connect with a newer one"}
	}
	for _, who := range c.allowed {
		if hasSAN(chain[0], who.Name) {
			return who, nil
		}
	}
	return nil, &RefusedError{Authenticated: true, Problem: "none of the names in the client certificate may call; the operator of this gateway can allow one with --allow-client"}
}

// Challenge is empty: a certificate is not sent in a header.
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
		c.verified[key] = lastMoment(chains[0])
	}
	return nil
}

// lastMoment is when the first certificate of a chain expires.
func lastMoment(chain []*x509.Certificate) time.Time {
	end := chain[0].NotAfter
	for _, certificate := range chain[1:] {
		if certificate.NotAfter.Before(end) {
			end = certificate.NotAfter
		}
	}
	return end
}

func isURI(name string) bool { return strings.Contains(name, "://") }

// hasSAN looks among the names of one kind only: an issuer may be free to give DNS names, which can look like addresses
// and URIs, and not be free to give those.
func hasSAN(certificate *x509.Certificate, san string) bool {
	switch address := net.ParseIP(san); {
	case isURI(san):
		return slices.ContainsFunc(certificate.URIs, func(uri *url.URL) bool { return uri.String() == san })
	case address != nil:
		return slices.ContainsFunc(certificate.IPAddresses, address.Equal)
	}
	return slices.ContainsFunc(certificate.DNSNames, func(name string) bool { return strings.EqualFold(name, san) })
}
