package server_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
)

// certificate returns a self-signed certificate for 127.0.0.1.
func certificate(t testing.TB, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

func trusting(certificates ...tls.Certificate) *x509.CertPool {
	pool := x509.NewCertPool()
	for _, c := range certificates {
		pool.AddCert(c.Leaf)
	}
	return pool
}

// startTLS runs a gateway with TLS whose responses have the common name of the caller's certificate.
func startTLS(t *testing.T, cfg *tls.Config) *gateway {
	t.Helper()
	g := &gateway{log: &lockedBuffer{}, tls: cfg}
	g.serve(t, scripted{update: func(ctx context.Context, _ *customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error) {
		from, ok := peer.FromContext(ctx)
		if !ok { // over JSON
			return &customerv1.UpdateCustomerResponse{}, nil
		}
		info, ok := from.AuthInfo.(credentials.TLSInfo)
		if !ok || len(info.State.PeerCertificates) == 0 {
			return &customerv1.UpdateCustomerResponse{Message: "nobody"}, nil
		}
		return &customerv1.UpdateCustomerResponse{Message: info.State.PeerCertificates[0].Subject.CommonName}, nil
	}}, 30*time.Second)
	return g
}

// callTLS makes one call over a connection of its own, and returns the name of the gateway's certificate too.
func callTLS(t *testing.T, g *gateway, cfg *tls.Config) (message, servedBy string, err error) {
	t.Helper()
	conn, err := grpc.NewClient(g.conn.Target(), grpc.WithTransportCredentials(credentials.NewTLS(cfg)))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	var from peer.Peer
	response, err := customerv1.NewCustomerServiceClient(conn).UpdateCustomer(t.Context(), &customerv1.UpdateCustomerRequest{CustomerId: 1}, grpc.Peer(&from))
	if info, ok := from.AuthInfo.(credentials.TLSInfo); ok {
		servedBy = info.State.PeerCertificates[0].Subject.CommonName
	}
	return response.GetMessage(), servedBy, err
}

func TestCallersCertificateReachesTheCall(t *testing.T) {
	own, caller := certificate(t, "gateway"), certificate(t, "caller")
	g := startTLS(t, &tls.Config{Certificates: []tls.Certificate{own}, ClientAuth: tls.RequireAnyClientCert, MinVersion: tls.VersionTLS12})
	message, servedBy, err := callTLS(t, g, &tls.Config{RootCAs: trusting(own), Certificates: []tls.Certificate{caller}, MinVersion: tls.VersionTLS12})
	if err != nil || message != "caller" || servedBy != "gateway" {
		t.Errorf("%q, served by %q, %v", message, servedBy, err)
	}
}

// Each handshake asks for the certificate again, so that it can change while the gateway runs.
func TestCertificatesAreAskedForInEachHandshake(t *testing.T) {
	first, second, caller := certificate(t, "first"), certificate(t, "second"), certificate(t, "caller")
	var current atomic.Pointer[tls.Certificate]
	current.Store(&first)
	chosen := &tls.Config{
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return current.Load(), nil },
		ClientAuth:     tls.RequireAnyClientCert, MinVersion: tls.VersionTLS12,
	}
	g := startTLS(t, &tls.Config{
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return chosen, nil }, MinVersion: tls.VersionTLS12,
	})
	client := &tls.Config{RootCAs: trusting(first, second), Certificates: []tls.Certificate{caller}, MinVersion: tls.VersionTLS12}
	for _, certificate := range []*tls.Certificate{&first, &second} {
		current.Store(certificate)
		want := certificate.Leaf.Subject.CommonName
		if _, servedBy, err := callTLS(t, g, client); err != nil || servedBy != want {
			t.Errorf("gRPC is served by %q, want %q: %v", servedBy, want, err)
		}
		conn, err := (&tls.Dialer{Config: client}).DialContext(t.Context(), "tcp", strings.TrimPrefix(g.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		if servedBy := conn.(*tls.Conn).ConnectionState().PeerCertificates[0].Subject.CommonName; servedBy != want {
			t.Errorf("JSON is served by %q, want %q", servedBy, want)
		}
		_ = conn.Close()
	}
}

func TestTransportsSpeakTheirProtocolsInTLSOnly(t *testing.T) {
	own := certificate(t, "gateway")
	g := startTLS(t, &tls.Config{Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS12})
	jsonAddr := strings.TrimPrefix(g.url, "http://")
	for _, row := range []struct {
		name, address string
		offered       []string
		maxVersion    uint16
		agreed        string // empty: the handshake fails
	}{
		{"the gRPC server speaks HTTP/2", g.conn.Target(), []string{"http/1.1", "h2"}, 0, "h2"},
		{"the gRPC server does not speak HTTP/1.1", g.conn.Target(), []string{"http/1.1"}, 0, ""},
		{"the HTTP/JSON gateway speaks HTTP/1.1", jsonAddr, []string{"h2", "http/1.1"}, 0, "http/1.1"},
		{"the HTTP/JSON gateway does not speak HTTP/2", jsonAddr, []string{"h2"}, 0, ""},
		{"the gRPC server requires TLS 1.2", g.conn.Target(), []string{"h2"}, tls.VersionTLS11, ""},
		{"the HTTP/JSON gateway requires TLS 1.2", jsonAddr, []string{"http/1.1"}, tls.VersionTLS11, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			dialer := &tls.Dialer{Config: &tls.Config{RootCAs: trusting(own), NextProtos: row.offered, MinVersion: tls.VersionTLS10, MaxVersion: row.maxVersion}}
			conn, err := dialer.DialContext(t.Context(), "tcp", row.address)
			if err != nil {
				if row.agreed != "" {
					t.Error(err)
				}
				return
			}
			defer func() { _ = conn.Close() }()
			if got := conn.(*tls.Conn).ConnectionState().NegotiatedProtocol; got != row.agreed {
				t.Errorf("agreed is %q, want %q", got, row.agreed)
			}
		})
	}
}

func TestHTTPGatewayServesTLS(t *testing.T) {
	own := certificate(t, "gateway")
	g := startTLS(t, &tls.Config{Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS12})
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusting(own), MinVersion: tls.VersionTLS12}}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, strings.Replace(g.url, "http:", "https:", 1)+"/v1/customers/1", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK || response.TLS == nil || response.ProtoMajor != 1 {
		t.Errorf("%s over %s", response.Status, response.Proto)
	}
	if response, err := http.Get(g.url); err == nil { //nolint:noctx // it fails at once
		_ = response.Body.Close()
		if response.StatusCode != http.StatusBadRequest {
			t.Errorf("without TLS: %s", response.Status)
		}
	}
}
