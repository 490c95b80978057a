package server

import (
	"container/list"
	"context"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/caller"
)

// A connection is unproven until a call on it was let in. Anybody can open one, so unproven ones are few, short-lived
// and light; who floods a door with them crowds out the oldest, and never keeps a newcomer from coming in.
const (
	// maxUnproven is enough for the callers of a shop to connect at the same moment. Held idle, that many cost a door
	// less than 8 MiB, with TLS less than 24 MiB.
	maxUnproven = 256
	// maxProven is enough for every worker of a large shop to keep a connection of its own.
	maxProven = 4096
	// provingTime is for a TLS handshake and a first call over the slowest of lines. A client that connects early and
	// calls later finds its connection closed, as any idle one may be: it opens another with the call.
	provingTime = 10 * time.Second
	// maxUnprovenWeight bounds, in bytes, what unproven connections together make the gateway hold; over it the
	// heaviest is closed. 256 connections could otherwise send 100 messages of 128 KiB each at once. It has room for 200
	// first calls at the same moment; with what is on its way to the garbage collector it takes some 20 MiB.
	maxUnprovenWeight = 2 << 20
	// takingTime is how long the other side may take no byte of what is written to it.
	takingTime = 10 * time.Second
)

// connections are the open connections of one door.
type connections struct {
	mu       sync.Mutex
	unproven list.List // of *connection, the oldest first
	weight   int       // of the unproven ones together
	proven   int
}

// boundedListener bounds the connections that it accepts.
type boundedListener struct {
	net.Listener

	open *connections
}

func (l boundedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return l.open.admit(conn), nil
}

// connection is one as it is below TLS.
type connection struct {
	net.Conn

	among *connections
	light atomic.Bool  // it is proven, and what it holds is its caller's affair
	sure  atomic.Bool  // a call on it has gone well
	long  atomic.Int32 // the streams on it that are no calls

	// The rest is guarded by among.mu.
	lapse  *time.Timer
	place  *list.Element // among the unproven
	weight int
	state  connectionState
}

type connectionState int

const (
	isUnproven connectionState = iota
	isProven
	isClosed
)

func (o *connections) admit(conn net.Conn) *connection {
	c := &connection{Conn: conn, among: o}
	o.mu.Lock()
	var oldest *connection
	if o.unproven.Len() >= maxUnproven {
		oldest, _ = o.unproven.Front().Value.(*connection)
	}
	c.place = o.unproven.PushBack(c)
	c.lapse = time.AfterFunc(provingTime, c.drop)
	o.mu.Unlock()
	if oldest != nil {
		oldest.drop()
	}
	return c
}

// drop closes a connection of which nothing is known that would be lost with it.
func (c *connection) drop() {
	c.among.mu.Lock()
	unproven := c.state == isUnproven
	c.among.mu.Unlock()
	if unproven {
		_ = c.Close() // whoever uses it meets the error
	}
}

// Close closes the connection, and makes room for another.
func (c *connection) Close() error {
	c.among.mu.Lock()
	switch c.state {
	case isUnproven:
		c.leaveUnproven()
	case isProven:
		c.among.proven--
	case isClosed:
	}
	c.state = isClosed
	c.among.mu.Unlock()
	return c.Conn.Close()
}

// leaveUnproven is called with among.mu held.
func (c *connection) leaveUnproven() {
	c.lapse.Stop()
	c.among.unproven.Remove(c.place)
	c.among.weight -= c.weight
	c.light.Store(true)
}

// prove notes that a call was let in. It returns false if there are too many proven connections; this one then stays
// what it is, and ends soon.
func (c *connection) prove() bool {
	if c.light.Load() {
		return true
	}
	c.among.mu.Lock()
	defer c.among.mu.Unlock()
	if c.state != isUnproven {
		return true
	}
	if c.among.proven >= maxProven {
		return false
	}
	c.leaveUnproven()
	c.among.proven++
	c.state = isProven
	return true
}

// doubt takes back that the connection is proven, unless a call on it has gone well before.
func (c *connection) doubt() {
	c.among.mu.Lock()
	defer c.among.mu.Unlock()
	if c.state != isProven || c.sure.Load() {
		return
	}
	c.among.proven--
	c.state = isUnproven
	c.among.weight += c.weight
	c.place = c.among.unproven.PushBack(c)
	c.lapse = time.AfterFunc(provingTime, c.drop)
	c.light.Store(false)
}

// weigh adds what an unproven connection makes the gateway hold.
func (c *connection) weigh(bytes int) {
	if c.light.Load() {
		return
	}
	c.among.mu.Lock()
	var heaviest *connection
	if c.state == isUnproven {
		c.weight += bytes
		c.among.weight += bytes
		if c.among.weight > maxUnprovenWeight {
			heaviest = c.among.heaviest()
		}
	}
	c.among.mu.Unlock()
	if heaviest != nil {
		heaviest.drop()
	}
}

func (o *connections) heaviest() *connection {
	var heaviest *connection
	for place := o.unproven.Front(); place != nil; place = place.Next() {
		if c, ok := place.Value.(*connection); ok && (heaviest == nil || c.weight > heaviest.weight) {
			heaviest = c
		}
	}
	return heaviest
}

func (c *connection) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.weigh(n)
	return n, err
}

// Write fails when the other side takes nothing for takingTime: it would otherwise hold a goroutine, and what was to be
// written, for as long as it likes.
func (c *connection) Write(p []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(takingTime)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

// LocalAddr is the address with the connection in it: the one thing of a connection that both doors hand on to a call,
// through TLS too.
func (c *connection) LocalAddr() net.Addr { return localAddr{c.Conn.LocalAddr(), c} }

type localAddr struct {
	net.Addr

	of *connection
}

// connectionOf returns the connection that a call came on, or nil.
func connectionOf(ctx context.Context) *connection {
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

// proving notes that a call was let in, and refuses it where there are too many callers.
func proving() grpc.UnaryServerInterceptor {
	crowded := refusal(codes.ResourceExhausted, reasonTooManyConnections, "too many callers are connected; come again later, or through a connection that is open").Err()
	return func(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		// Health checks are for everybody, and so prove nothing.
		c := connectionOf(ctx)
		if c != nil && guarded(info.FullMethod) && !c.prove() {
			return nil, crowded
		}
		response, err := handler(ctx, request)
		if who := caller.FromContext(ctx); c != nil && who != nil && who.Store != nil {
			// Who it is only the store could say, and anything but a success may be its no.
			if err == nil {
				c.sure.Store(true)
			} else {
				c.doubt()
			}
		}
		return response, err
	}
}
