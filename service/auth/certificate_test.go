package auth_test

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth/authtest"
)

func connected(pairs ...tls.Certificate) auth.Presented {
	state := &tls.ConnectionState{}
	for _, pair := range pairs {
		state.PeerCertificates = append(state.PeerCertificates, pair.Leaf)
	}
	return auth.Presented{TLS: state}
}

func clients(t testing.TB, texts ...string) []auth.Client {
	t.Helper()
	var all []auth.Client
	for _, text := range texts {
		client, err := auth.ParseClient(text, auth.Permissions{Status: true})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, client)
	}
	return all
}

func TestCertificateIdentifiesTheCaller(t *testing.T) {
	trusted, untrusted := authtest.NewAuthority(t), authtest.NewAuthority(t)
	certificates := auth.NewCertificates(trusted.Roots, clients(t, "Orders.internal", "crm.internal=user_id", "spiffe://example.org/Billing=-", "192.0.2.7=status+user_id"))
	uri, err := url.Parse("spiffe://example.org/Billing")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name      string
		presented auth.Presented
		want      string
	}{
		{"a DNS name", connected(trusted.Client(t, []string{"orders.internal"})), "orders.internal may status"},
		{"a DNS name in capitals", connected(trusted.Client(t, []string{"ORDERS.internal"})), "orders.internal may status"},
		{"one name of several", connected(trusted.Client(t, []string{"other.internal", "crm.internal"})), "crm.internal may user_id"},
		{"two allowed names", connected(trusted.Client(t, []string{"crm.internal", "orders.internal"})), "orders.internal may status"},
		{"a URI", connected(trusted.Client(t, nil, func(c *x509.Certificate) { c.URIs = []*url.URL{uri} })), "spiffe://example.org/Billing may -"},
		{"an IP address", connected(trusted.Client(t, nil, func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.ParseIP("192.0.2.7")} })), "192.0.2.7 may status,user_id"},
		{"a DNS name that looks like the address", connected(trusted.Client(t, []string{"192.0.2.7"})), "forbidden"},
		{"a DNS name that looks like the URI", connected(trusted.Client(t, []string{"spiffe://example.org/Billing"})), "forbidden"},
		{"no TLS", auth.Presented{}, "unknown"},
		{"no certificate", connected(), "unknown"},
		{"another issuer", connected(untrusted.Client(t, []string{"orders.internal"})), "unknown"},
		{"expired", connected(trusted.Client(t, nil, func(c *x509.Certificate) {
			c.DNSNames, c.NotAfter = []string{"orders.internal"}, time.Now().Add(-time.Minute)
		})), "unknown"},
		{"not valid yet", connected(trusted.Client(t, nil, func(c *x509.Certificate) {
			c.DNSNames, c.NotBefore = []string{"orders.internal"}, time.Now().Add(time.Minute)
		})), "unknown"},
		{"a certificate for servers", connected(trusted.Client(t, nil, func(c *x509.Certificate) {
			c.DNSNames, c.ExtKeyUsage = []string{"orders.internal"}, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		})), "unknown"},
		{"a name that is not allowed", connected(trusted.Client(t, []string{"evil.internal"})), "forbidden"},
		{"an allowed name as common name only", connected(trusted.Client(t, []string{})), "forbidden"},
		{"a subdomain of an allowed name", connected(trusted.Client(t, []string{"a.orders.internal"})), "forbidden"},
		{"a wildcard", connected(trusted.Client(t, []string{"*.internal"})), "forbidden"},
		{"an allowed name in a certificate of the chain only", connected(trusted.Client(t, []string{"evil.internal"}), trusted.Client(t, []string{"orders.internal"})), "forbidden"},
	} {
		t.Run(row.name, func(t *testing.T) {
			for range 2 { // the second verification may be cached
				if got := outcome(certificates.Authenticate(row.presented)); got != row.want {
					t.Errorf("the decision is %q, want %q", got, row.want)
				}
			}
		})
	}
}

func TestCertificateIsVerifiedWithEachCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := authtest.NewAuthority(t), authtest.NewAuthority(t)
		roots := first.Roots()
		certificates := auth.NewCertificates(func() *x509.CertPool { return roots }, clients(t, "orders.internal"))
		presented := connected(first.Client(t, []string{"orders.internal"}))
		decide := func(when, want string) {
			t.Helper()
			if got := outcome(certificates.Authenticate(presented)); got != want {
				t.Errorf("%s the decision is %q, want %q", when, got, want)
			}
		}
		decide("with a trusted issuer", "orders.internal may status")
		roots = second.Roots()
		decide("after its issuer was removed from the roots", "unknown")
		roots = first.Roots()
		decide("after its issuer was added again", "orders.internal may status")
		<-time.After(59 * time.Minute)
		decide("shortly before it expires", "orders.internal may status")
		<-time.After(2 * time.Minute)
		decide("after it has expired", "unknown")
	})
}

func TestInvalidClientsAreRejected(t *testing.T) {
	for _, text := range []string{"", "=status", "*.internal", "orders internal", "orders.internal=", "orders.internal=email", "orders.internal=status+status"} {
		if client, err := auth.ParseClient(text, auth.Permissions{}); err == nil {
			t.Errorf("%q was accepted as %v", text, client)
		}
	}
}
