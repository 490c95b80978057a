package fluentcart

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/url"
	"sync"
	"time"
)

const (
	// handshakeTimeout bounds the TLS handshake.
	handshakeTimeout = 5 * time.Second
	// idleTimeout is how long an unused connection is kept. It is shorter than the keep-alive of usual servers (Apache
	// and LiteSpeed: 5 s, nginx: 75 s), so the client drops a connection before the store does.
	idleTimeout = 4 * time.Second
	// maxIdle bounds the kept connections. A store has a handful of PHP workers (F24), so it never needs more.
	maxIdle = 64
)

// Transport keeps the HTTP/1.1 connections to one store. It uses no proxy: the shop's credentials go to the shop only,
// whatever the environment says. Its fields must not change once it is in use. It is safe for concurrent use.
type Transport struct {
	// DialContext opens a connection; nil is the method of a net.Dialer.
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)
	// Roots returns the CA certificates that the store's certificate must chain to; nil means those of the system. It is
	// called for each new connection.
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

// conn is a connection to the store. One goroutine uses it at a time.
type conn struct {
	net.Conn

	from    *Transport
	raw     net.Conn // below TLS
	reader  *bufio.Reader
	limit   io.LimitedReader // bounds the bytes of one response
	request []byte           // the buffer of the request
	reused  bool
	timer   *time.Timer // drops the connection while it is idle
}

// take returns an idle connection, or opens one. The caller gives it back with keep, or closes it. fresh asks for a new
// connection.
func (t *Transport) take(ctx context.Context, deadline time.Time, fresh bool) (*conn, error) {
	for !fresh {
		c := t.pop()
		if c == nil {
			break
		}
		if !isStale(c.raw) {
			return c, nil
		}
		_ = c.Close() // the store has closed it already
	}
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	return t.dial(ctx)
}

// pop takes the idle connection that was used last, or nil.
func (t *Transport) pop() *conn {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.idle) == 0 {
		return nil
	}
	c := t.idle[len(t.idle)-1]
	t.idle = t.idle[:len(t.idle)-1]
	c.timer.Stop()
	return c
}

// keep makes the connection available for the next request.
func (c *conn) keep() {
	t := c.from
	c.reused = true
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.idle) >= maxIdle {
		_ = c.Close() // its response has been read
		return
	}
	t.idle = append(t.idle, c)
	if c.timer == nil {
		c.timer = time.AfterFunc(idleTimeout, c.drop)
	} else {
		c.timer.Reset(idleTimeout)
	}
}

// drop closes the connection if it is idle.
func (c *conn) drop() {
	t := c.from
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, other := range t.idle {
		if other == c {
			t.idle = append(t.idle[:i], t.idle[i+1:]...)
			_ = c.Close() // nothing is in flight on it
			return
		}
	}
}

// CloseIdleConnections closes the connections that are not in use.
func (t *Transport) CloseIdleConnections() {
	for c := t.pop(); c != nil; c = t.pop() {
		_ = c.Close() // nothing is in flight on it
	}
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
	c := &conn{Conn: raw, from: t, raw: raw}
	if t.serverName != "" {
		secured := tls.Client(raw, t.tlsConfig())
		within, cancel := context.WithTimeout(ctx, handshakeTimeout)
		defer cancel()
		if err := secured.HandshakeContext(within); err != nil {
			_ = raw.Close() // the handshake's error says more
			return nil, err
		}
		c.Conn = secured
	}
	c.limit.R = c.Conn
	c.reader = bufio.NewReader(&c.limit)
	return c, nil
}

// tlsConfig returns the configuration for the current roots. Other roots get a session cache of their own: a resumed
// session is not verified again.
func (t *Transport) tlsConfig() *tls.Config {
	var roots *x509.CertPool
	if t.Roots != nil {
		roots = t.Roots()
	}
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
