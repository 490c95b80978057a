package connlimit

import (
	"container/list"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/peer"
)

// Conn is a connection of a bounded listener, below TLS.
type Conn struct {
	net.Conn

	table      *table
	from       netip.Prefix
	done       chan struct{} // closed by Close
	broken     atomic.Bool   // a Read failed, and not because the client closed its side
	rejected   atomic.Bool   // a call on it was rejected since the latest Read
	weightless atomic.Bool   // it is not unauthenticated: its data does not count towards the weight
	streams    atomic.Int32  // open streams that are not calls

	// The other fields are guarded by table.mu.
	state connectionState

	// While the connection waits or is unauthenticated:
	expiry   *time.Timer
	element  *list.Element // in the list of its host
	order    uint64        // the oldest connection has the lowest
	since    time.Time     // it arrived, or became unauthenticated again
	weight   int
	goAway   func() // asks the client to leave; nil where the protocol has no way to, and before the handshake is done
	leaving  bool   // goAway was called, so that no call is admitted any more
	expiring bool   // less than leavingTime is left for a call to be admitted

	calls     int  // admitted and in flight
	confirmed bool // the caller of at least one call was confirmed
	held      int  // bytes, by its partially received requests
	share     *share
	key       shareKey
}

type connectionState int

const (
	isWaiting connectionState = iota // for a place in the table
	isUnauthenticated
	isAuthenticated
	isClosed
)

// rejectionPause is how long a connection is not read after a call on it was rejected.
//
// A goroutine that waits for the network is woken only when no other one is ready to run, or after up to 10 ms. In a
// gateway that rejects calls without a break, each response of the store would come that late, and a customer's lease
// would be held for as much longer. The pause leaves time between the rejections, and delays no other connection.
const rejectionPause = 5 * time.Millisecond

// Rejected records that a call on the connection was rejected because the gateway is overloaded.
func (c *Conn) Rejected() { c.rejected.Store(true) }

func (c *Conn) Read(p []byte) (int, error) {
	if c.rejected.Load() && c.rejected.Swap(false) {
		<-time.After(rejectionPause)
	}
	n, err := c.Conn.Read(p)
	if err != nil && err != io.EOF && !errors.Is(err, os.ErrDeadlineExceeded) { //nolint:errorlint // a connection returns io.EOF itself
		c.broken.Store(true)
	}
	c.weigh(n)
	return n, err
}

// Broken reports whether the connection was reset or closed by this side. It is not broken when the client closed its
// side, which may wait for a response.
func (c *Conn) Broken() bool { return c.broken.Load() }

// Write fails when the client takes less than minProgress bytes within stallTime. Such a client would otherwise hold a
// goroutine and the data to be written for any length of time. A slow line that always makes progress may take long.
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

// Close closes the connection and frees its place in the table.
func (c *Conn) Close() error {
	c.table.mu.Lock()
	c.remove()
	select {
	case <-c.done:
	default:
		close(c.done)
	}
	c.table.unlock()
	return c.Conn.Close()
}

// remove takes the connection out of all counts. The goroutine that decides to close the connection calls it, with
// table.mu held. From then on no call is admitted on the connection.
func (c *Conn) remove() {
	switch c.state {
	case isWaiting:
		c.leaveWaiting()
		c.expiry.Stop()
	case isUnauthenticated:
		c.leaveUnauthenticated()
	case isAuthenticated:
		c.leaveShare()
	case isClosed:
	}
	c.state = isClosed
	c.table.capacity.Broadcast()
}

// expire closes the connection if no call was admitted on it. It is called twice: leavingTime before, when it asks a client
// that can be asked to leave, and then at the end.
func (c *Conn) expire() {
	var ask func()
	c.table.mu.Lock()
	switch {
	case c.state != isWaiting && c.state != isUnauthenticated:
	case !c.expiring:
		c.expiring = true
		c.expiry.Reset(leavingTime)
		if c.state == isUnauthenticated && c.goAway != nil {
			ask, c.leaving = c.goAway, true
		}
	default:
		c.evict(Expired)
	}
	c.table.unlock()
	if ask != nil {
		ask()
	}
}

// askBefore makes expire call goAway first.
func (c *Conn) askBefore(goAway func()) {
	c.table.mu.Lock()
	defer c.table.mu.Unlock()
	c.goAway = goAway
}

// weigh adds to the memory that an unauthenticated connection makes the gateway hold.
func (c *Conn) weigh(bytes int) {
	if c.weightless.Load() || bytes == 0 {
		return
	}
	t := c.table
	t.mu.Lock()
	defer t.unlock()
	if c.state != isUnauthenticated {
		return
	}
	bytes = max(bytes, -c.weight)
	c.weight += bytes
	t.hosts[c.from].weight += bytes
	t.weight += bytes
	if c.weight > maxFirstCalls {
		c.evict(Memory)
	}
	for t.weight > maxUnauthenticatedWeight {
		t.oldest(func(h *host) int { return max(h.weight-largestCall, 0) }, func(c *Conn) bool { return c.weight > 0 }).evict(Memory)
	}
}

// BeginStream counts a stream that is not a call, and reports whether the connection may have it. EndStream must follow
// in either case.
func (c *Conn) BeginStream() bool { return c.streams.Add(1) <= MaxStreams }

// EndStream ends what BeginStream began.
func (c *Conn) EndStream() { c.streams.Add(-1) }

// Done is closed when this side closes the connection.
func (c *Conn) Done() <-chan struct{} { return c.done }

// LocalAddr returns the local address with the connection in it. The address is the one property of a connection that
// both transports pass on to a call, through TLS too.
func (c *Conn) LocalAddr() net.Addr { return localAddr{c.Conn.LocalAddr(), c} }

type localAddr struct {
	net.Addr

	of *Conn
}

// Of returns the connection that a call arrived on, or nil.
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
