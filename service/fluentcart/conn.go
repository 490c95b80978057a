package fluentcart

import (
	"bufio"
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"time"
)

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

// record turns recording on or off. While it is on, all that is read is kept, so that another goroutine can read it again
// with replay.
func (c *conn) record(on bool) { c.recording, c.recorded = on, c.recorded[:0] }

// replay starts to read again from where record was called.
func (c *conn) replay() {
	c.recording = false
	c.limit.R = io.MultiReader(bytes.NewReader(c.recorded), c.Conn)
	c.reader.Reset(&c.limit)
}

// interruptWith makes reads time out when ctx ends, and writes as well if writing is true. stop prevents that, and reports
// false if it has happened already.
func (c *conn) interruptWith(ctx context.Context, writing bool) (stop func() bool) {
	interrupt := c.SetReadDeadline
	if writing {
		interrupt = c.SetDeadline
	}
	return context.AfterFunc(ctx, func() { _ = interrupt(time.Unix(1, 0)) }) // the past
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
