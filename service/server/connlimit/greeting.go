package connlimit

import (
	"errors"
	"fmt"
	"regexp"
)

// errHTTP1 ends a connection.
var errHTTP1 = errors.New("the client speaks HTTP/1.1 to the gRPC server")

// http1Request matches the beginning of a request of HTTP/1.1. The preface of HTTP/2 begins with PRI.
var http1Request = regexp.MustCompile(`^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|CONNECT|TRACE) `)

// greeting decides what a gRPC server says first. In HTTP/2 that is SETTINGS, which a client of HTTP/1.1 cannot read: curl
// would say that it received HTTP/0.9. It is therefore held back until the client has said something, which a client of
// HTTP/2 does at once (RFC 9113, 3.4), and a client of HTTP/1.1 gets a response of its own protocol.
type greeting struct {
	answer   string // to a client of HTTP/1.1
	misled   func() // is called for such a client
	heard    bool   // the client has said something; for the goroutine that reads
	open     bool   // nothing is held back any more; guarded by meteredConn.writing
	heldBack []byte
}

// hear looks at the first bytes of a client. Its error ends the connection.
func (c *meteredConn) hear(first []byte) error {
	c.greeting.heard = true
	if !http1Request.Match(first) {
		c.writing.Lock()
		defer c.writing.Unlock()
		return c.greet()
	}
	c.greeting.misled()
	_, _ = fmt.Fprintf(c.Conn, "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s\n",
		len(c.greeting.answer)+1, c.greeting.answer) // it fails for a client that is gone
	return errHTTP1
}

// greet sends what was held back. The caller holds c.writing.
func (c *meteredConn) greet() error {
	if c.greeting.open {
		return nil
	}
	c.greeting.open = true
	heldBack := c.greeting.heldBack
	c.greeting.heldBack = nil
	if len(heldBack) == 0 {
		return nil
	}
	_, err := c.Conn.Write(heldBack)
	return err
}
