package fluentcart

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"time"
)

const handshakeTimeout = 5 * time.Second

// NewTransport returns the transport that a Client uses by default. It trusts the certificates that the system trusts;
// Trusting replaces those.
func NewTransport() *http.Transport {
	return &http.Transport{
		// No Proxy: the shop's credentials go to the shop only, whatever the environment says.
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout: handshakeTimeout,
		// HTTP/1 only. Over HTTP/2 net/http sends a request again, a PUT too, when the server resets its stream in a
		// certain way; over HTTP/1 only when not one byte has left.
		Protocols: http1(),
		// A store has a handful of PHP workers (F24), so it never uses more idle connections than this.
		MaxIdleConnsPerHost: 64,
		// Shorter than the keep-alive of usual servers (Apache and LiteSpeed: 5 s, nginx: 75 s), so the client drops a
		// connection before the store does. If a read takes a connection that the store has closed all the same,
		// net/http sends the read again, and the write then takes the connection that the read has just used.
		IdleConnTimeout:        4 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// Trusting makes a transport trust the certificates that chain to roots, and no others. It calls roots for each new
// connection.
func Trusting(transport *http.Transport, roots func() *x509.CertPool) {
	transport.DialTLSContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
		defer cancel()
		dialer := tls.Dialer{Config: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots(), NextProtos: []string{"http/1.1"}}}
		return dialer.DialContext(ctx, network, address)
	}
}

func http1() *http.Protocols {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	return &protocols
}
