package fluentcart

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/url"
	"sync"
	"time"
)

// handshakeTimeout bounds the TLS handshake.
const handshakeTimeout = 5 * time.Second

// Transport keeps the HTTP/1.1 connections to one store. It ignores the proxy settings of the environment, so that the
// shop's credentials go to the shop only. Its fields must not change once it is in use. It is safe for concurrent use.
type Transport struct {
	// DialContext opens a connection; nil is the method of a net.Dialer.
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)
	// Roots returns the CA certificates that the store's certificate must chain to; nil means those of the system. It is
	// called for each request and must be fast. Other certificates are returned as another pool.
	Roots func() *x509.CertPool

	address    string // host and port
	serverName string // of TLS; empty without TLS

	mu    sync.Mutex
	idle  []*conn // the connection that was used last is at the end
	roots *x509.CertPool
	tls   *tls.Config // for roots; its cache resumes TLS sessions
}

// NewTransport returns a transport without connections.
func NewTransport() *Transport { return &Transport{} }

// reach sets the address that the transport connects to.
func (t *Transport) reach(base *url.URL) {
	port := base.Port()
	if base.Scheme == "https" {
		t.serverName = base.Hostname()
		port = cmp.Or(port, "443")
	}
	t.address = net.JoinHostPort(base.Hostname(), cmp.Or(port, "80"))
}

// dial opens a connection, with a TLS handshake if the store's address is https.
func (t *Transport) dial(ctx context.Context) (*conn, error) {
	dial := t.DialContext
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	raw, err := dial(ctx, "tcp", t.address)
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: raw, from: t, raw: raw, roots: t.currentRoots()}
	if t.serverName != "" {
		secured := tls.Client(raw, t.tlsConfig(c.roots))
		within, cancel := context.WithTimeout(ctx, handshakeTimeout)
		defer cancel()
		if err := secured.HandshakeContext(within); err != nil {
			c.close()
			if isConnectionFault(err) {
				return nil, err
			}
			return nil, &handshakeError{err}
		}
		c.Conn = secured
	}
	c.limit.R = c
	c.reader = bufio.NewReader(&c.limit)
	return c, nil
}

// handshakeError is a TLS handshake that failed because of what the store presented, or because it refused what the
// gateway did.
type handshakeError struct{ error }

// Unwrap returns the error of crypto/tls.
func (e *handshakeError) Unwrap() error { return e.error }

// isConnectionFault reports whether a handshake failed because of the network, and not because of TLS. crypto/tls returns
// the alerts of both sides as a net.OpError as well, with other operations.
func isConnectionFault(err error) bool {
	operation, ok := errors.AsType[*net.OpError](err)
	return ok && (operation.Op == "read" || operation.Op == "write") ||
		errors.Is(err, io.EOF) || errors.Is(err, context.Canceled) || isTimeout(err)
}

func (t *Transport) currentRoots() *x509.CertPool {
	if t.Roots == nil {
		return nil
	}
	return t.Roots()
}

// tlsConfig returns the configuration for the roots. Other roots get a session cache of their own: a resumed session is
// not verified again.
func (t *Transport) tlsConfig(roots *x509.CertPool) *tls.Config {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.tls == nil || t.roots != roots {
		t.roots = roots
		t.tls = &tls.Config{
			MinVersion: tls.VersionTLS12, ServerName: t.serverName, RootCAs: roots,
			NextProtos: []string{"http/1.1"}, ClientSessionCache: tls.NewLRUClientSessionCache(0),
		}
	}
	return t.tls
}
