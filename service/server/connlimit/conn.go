package connlimit

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"time"

	"google.golang.org/grpc/peer"
)

// MaxStreams is how many streams that are no calls a connection may have at a time: watching the health of a few
// services, and one question about the contract. They end with their connection.
const MaxStreams = 16

// What both doors do with a connection: it is read, written, and found again by the calls on it.

func (c *Conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.weigh(n)
	return n, err
}

// Write fails when the other side takes next to nothing for stallTime: it would otherwise hold a goroutine, and what was
// to be written, for as long as it likes. A slow line that takes a little all the time may take long over the whole.
func (c *Conn) Write(p []byte) (int, error) {
	for written := 0; ; {
		if err := c.SetWriteDeadline(time.Now().Add(stallTime)); err != nil {
			return written, err
		}
		n, err := c.Conn.Write(p[written:])
		written += n
		if err == nil || n < minProgress || !errors.Is(err, os.ErrDeadlineExceeded) {
			return written, err
		}
	}
}

// LocalAddr is the address with the connection in it: the one thing of a connection that both doors hand on to a call,
// through TLS too.
func (c *Conn) LocalAddr() net.Addr { return localAddr{c.Conn.LocalAddr(), c} }

type localAddr struct {
	net.Addr

	of *Conn
}

// BeginStream counts a stream that is no call, and reports whether the connection may have it. EndStream is due either way.
func (c *Conn) BeginStream() bool { return c.streams.Add(1) <= MaxStreams }

// EndStream ends what BeginStream began.
func (c *Conn) EndStream() { c.streams.Add(-1) }

// Of returns the connection that a call came on, or nil.
func Of(ctx context.Context) *Conn {
	if from, ok := peer.FromContext(ctx); ok {
		if local, ok := from.LocalAddr.(localAddr); ok {
			return local.of
		}
	}
	if local, ok := ctx.Value(http.LocalAddrContextKey).(localAddr); ok {
		return local.of
	}
	return nil
}
