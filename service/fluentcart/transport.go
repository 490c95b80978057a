package fluentcart

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"slices"
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

// conn is a connection to the store. One goroutine uses it at a time.
type conn struct {
	net.Conn

	from    *Transport
	raw     net.Conn       // below TLS; the same as Conn without TLS
	roots   *x509.CertPool // with which the store's certificate was verified
	reader  *bufio.Reader
	limit   io.LimitedReader // bounds the bytes of one response
	request []byte           // the buffer of the request
	reused  bool

	recording bool
	recorded  []byte // what was read of the response while recording

	timer *time.Timer // drops the connection while it is idle
}

// Read reads from the connection. bufio calls it.
func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.recording {
		c.recorded = append(c.recorded, p[:n]...)
	}
	return n, err
}

// record keeps what is read from now on, if it is asked to, so that another goroutine can read it again with replay.
func (c *conn) record(on bool) { c.recording, c.recorded = on, c.recorded[:0] }

// replay starts to read again from where record was called.
func (c *conn) replay() {
	c.recording = false
	c.limit.R = io.MultiReader(bytes.NewReader(c.recorded), c.Conn)
	c.reader.Reset(&c.limit)
}

// interruptWith makes the connection time out when ctx ends: reading, and writing as well if asked for. stop reports
// whether that has not happened, and prevents it.
func (c *conn) interruptWith(ctx context.Context, writing bool) (stop func() bool) {
	interrupt := c.SetReadDeadline
	if writing {
		interrupt = c.SetDeadline
	}
	return context.AfterFunc(ctx, func() { _ = interrupt(time.Unix(1, 0)) }) // the past
}

// take returns an idle connection, or opens one. The caller gives it back with keep, or closes it. fresh asks for a new
// connection. A connection that was verified with other roots than the current ones is not used any more.
func (t *Transport) take(ctx context.Context, deadline time.Time, fresh bool) (*conn, error) {
	for !fresh {
		c := t.pop()
		if c == nil {
			break
		}
		if c.roots == t.currentRoots() && !isStale(c.raw) && c.drained() {
			return c, nil
		}
		c.close()
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
	last := len(t.idle) - 1
	c := t.idle[last]
	t.idle[last] = nil
	t.idle = t.idle[:last]
	c.timer.Stop()
	return c
}

// keep makes the connection available for the next request.
func (c *conn) keep() {
	c.reused = true
	c.recording = false
	clear(c.recorded)
	if cap(c.request)+cap(c.recorded) > maxHeader {
		c.request, c.recorded = nil, nil
	}
	_ = c.SetDeadline(time.Time{}) // the deadline of this request would make isStale fail; a closed connection is found by take
	if !c.from.push(c) {
		c.close()
	}
}

// push adds a connection to the idle ones, and reports whether there was room.
func (t *Transport) push(c *conn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.idle) >= maxIdle {
		return false
	}
	t.idle = append(t.idle, c)
	if c.timer == nil {
		c.timer = time.AfterFunc(idleTimeout, c.drop)
	} else {
		c.timer.Reset(idleTimeout)
	}
	return true
}

// drop closes the connection if it is idle.
func (c *conn) drop() {
	t := c.from
	t.mu.Lock()
	defer t.mu.Unlock()
	if i := slices.Index(t.idle, c); i >= 0 {
		t.idle = slices.Delete(t.idle, i, i+1)
		c.close()
	}
}

// drained reports whether nothing is left in the connection's buffers: no bytes behind the latest response, and no end of
// the connection. isStale sees only what the operating system has not handed over yet.
func (c *conn) drained() bool {
	if c.Conn == c.raw {
		return c.reader.Buffered() == 0
	}
	c.limit.N = maxHeader
	_ = c.SetReadDeadline(time.Unix(1, 0)) // in the past, so that only what TLS has buffered is read
	_, err := c.reader.Peek(1)
	return errors.Is(err, os.ErrDeadlineExceeded)
}

// close closes the connection without TLS's closing alert, whose write could block. Nothing is in flight on the
// connection, or the outcome is known, so its error says nothing.
func (c *conn) close() { _ = c.raw.Close() }

// CloseIdleConnections closes the connections that are not in use.
func (t *Transport) CloseIdleConnections() {
	for c := t.pop(); c != nil; c = t.pop() {
		c.close()
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
