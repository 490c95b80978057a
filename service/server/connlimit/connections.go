package connlimit

import (
	"container/list"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// A connection is unproven until a call on it was let in. Anybody can open one, so unproven ones are few, short-lived
// and light. Who opens too many crowds out the oldest of its own host, and who sends too much the oldest of the host that
// sends the most, so that one host keeps out no newcomer of another. Newcomers of one host (or of one proxy, which is a
// host too) cannot be told from who floods from there: they get in as long as they are quicker than 256 connections or
// 2 MiB that come after them. Against a flood from hundreds of hosts only a firewall helps.
const (
	// MaxUnauthenticated is enough for the callers of a shop to connect at the same moment. Held idle, that many cost a door
	// less than 8 MiB, with TLS less than 24 MiB.
	MaxUnauthenticated = 256
	// provingTime is for a TLS handshake and a first call over the slowest of lines. A client that connects early and
	// calls later finds its connection closed, as any idle one may be: it opens another with the call.
	provingTime = 10 * time.Second
	// maxUnprovenWeight bounds, in bytes, what unproven connections together make the gateway hold: 256 of them could
	// otherwise send 100 messages of 128 KiB each at once. It has room for 200 first calls at the same moment; with what
	// is on its way to the garbage collector it takes some 20 MiB.
	maxUnprovenWeight = 2 << 20
	// maxFirstCalls is how much of that one connection may have. A client that was waiting for its connection begins
	// with 100 calls at once, of which so much can come before the first of them is let in: streamWeight each, their
	// headers, and what the connection's window lets through.
	maxFirstCalls = 1 << 20
	// firstCall is what a host may have of it before it counts as one that sends much: a call of the greatest size.
	firstCall = MaxMessage + MaxHeader
	// takingTime is how long the other side may take less than leastTaken bytes of what is written to it.
	takingTime = 10 * time.Second
	leastTaken = 1 << 10
)

// Where this door stops to read, in bytes; the other door has the same bound on headers. The contract's own limit
// on a request, 64 KiB, is checked by the service, which can say what is wrong.
const (
	MaxMessage = 128 << 10
	MaxHeader  = 16 << 10
)

// RequestTimeout is how long a request may take to arrive: longer than one of 64 KiB takes over the slowest of lines, and
// less than provingTime, so that the first on a connection is answered before that is closed.
const RequestTimeout = 9 * time.Second

// connections are the open connections of one door.
type connections struct {
	mu       sync.Mutex
	hosts    map[netip.Prefix]*host // of the unproven ones
	unproven int
	weight   int    // of the unproven ones together
	admitted uint64 // how many there have been

	proven int
	shares map[shareKey]*share // of the proven ones
	room   *sync.Cond          // a share holds less than before, or a connection has ended
}

func newConnections() *connections {
	o := &connections{hosts: map[netip.Prefix]*host{}, shares: map[shareKey]*share{}}
	o.room = sync.NewCond(&o.mu)
	return o
}

// host is where unproven connections come from.
type host struct {
	unproven list.List // of *Conn, the oldest first
	weight   int
}

// NewListener bounds the connections of a listener.
func NewListener(listener net.Listener) net.Listener {
	return boundedListener{listener, newConnections()}
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

// Conn is a connection as it is below TLS.
type Conn struct {
	net.Conn

	among *connections
	from  netip.Prefix
	light atomic.Bool  // it is not unproven, and what it sends needs no weighing
	long  atomic.Int32 // the streams on it that are no calls

	// The rest is guarded by among.mu.
	state connectionState

	// While it is unproven.
	lapse  *time.Timer
	place  *list.Element // among those of its host
	number uint64        // of all that have become unproven: the oldest has the lowest
	weight int

	calls   int  // let in, and in flight
	sure    bool // a call on it has gone well
	held    int  // by its unfinished messages
	share   *share
	sharing shareKey
}

type connectionState int

const (
	isUnproven connectionState = iota
	isProven
	isClosed
)

func (o *connections) admit(conn net.Conn) *Conn {
	c := &Conn{Conn: conn, among: o, from: hostOf(conn.RemoteAddr())}
	o.mu.Lock()
	crowdedOut := c.becomeUnproven()
	o.mu.Unlock()
	crowdedOut.hangUp()
	return c
}

// hostOf returns the host of an address. Of IPv6 that is the network: a host has as many addresses there as it likes.
func hostOf(address net.Addr) netip.Prefix {
	tcp, ok := address.(*net.TCPAddr)
	if !ok {
		return netip.Prefix{}
	}
	ip := tcp.AddrPort().Addr().Unmap()
	bits := ip.BitLen()
	if ip.Is6() {
		bits = 64
	}
	network, _ := ip.WithZone("").Prefix(bits) // it fails for no address at all, which is a host like another
	return network
}

// becomeUnproven is called with among.mu held. It returns the connection that has to go for this one, or nil.
func (c *Conn) becomeUnproven() *Conn {
	o := c.among
	if o.hosts[c.from] == nil {
		o.hosts[c.from] = &host{}
	}
	of := o.hosts[c.from]
	c.state, c.number = isUnproven, o.admitted
	c.place = of.unproven.PushBack(c)
	c.lapse = time.AfterFunc(provingTime, c.drop)
	c.light.Store(false)
	of.weight += c.weight
	o.admitted++
	o.unproven++
	o.weight += c.weight
	if o.unproven <= MaxUnauthenticated {
		return nil
	}
	oldest := o.oldest(func(h *host) int { return h.unproven.Len() }, func(*Conn) bool { return true })
	oldest.end()
	return oldest
}

// oldest returns the oldest unproven connection that is meant, of the host that has the most. Where several have the
// same, it is the oldest of all of these. It is called with mu held.
func (o *connections) oldest(most func(*host) int, meant func(*Conn) bool) *Conn {
	var oldest *Conn
	rank := -1
	for _, of := range o.hosts {
		for place := of.unproven.Front(); place != nil; place = place.Next() {
			c, _ := place.Value.(*Conn)
			if !meant(c) {
				continue
			}
			if r := most(of); r > rank || r == rank && c.number < oldest.number {
				oldest, rank = c, r
			}
			break
		}
	}
	return oldest
}

// drop closes a connection of which nothing is known that would be lost with it.
func (c *Conn) drop() {
	c.among.mu.Lock()
	unproven := c.state == isUnproven
	if unproven {
		c.end()
	}
	c.among.mu.Unlock()
	if unproven {
		c.hangUp()
	}
}

// hangUp closes a connection that has ended already; whoever uses it meets the error.
func (c *Conn) hangUp() {
	if c != nil {
		_ = c.Conn.Close()
	}
}

// Close closes the connection, and makes room for another.
func (c *Conn) Close() error {
	c.among.mu.Lock()
	c.end()
	c.among.mu.Unlock()
	return c.Conn.Close()
}

// end takes the connection out of all counts. It is called with among.mu held, by who found out that it is to be closed:
// nothing can be let in on it from then on.
func (c *Conn) end() {
	switch c.state {
	case isUnproven:
		c.leaveUnproven()
	case isProven:
		c.leaveShare()
	case isClosed:
	}
	c.state = isClosed
	c.among.room.Broadcast()
}

// leaveUnproven is called with among.mu held.
func (c *Conn) leaveUnproven() {
	c.lapse.Stop()
	of := c.among.hosts[c.from]
	of.unproven.Remove(c.place)
	of.weight -= c.weight
	if of.unproven.Len() == 0 {
		delete(c.among.hosts, c.from)
	}
	c.among.unproven--
	c.among.weight -= c.weight
	c.light.Store(true)
}

// weigh adds what an unproven connection makes the gateway hold.
func (c *Conn) weigh(bytes int) {
	if c.light.Load() || bytes == 0 {
		return
	}
	o := c.among
	var ended []*Conn
	o.mu.Lock()
	if c.state == isUnproven {
		bytes = max(bytes, -c.weight)
		c.weight += bytes
		o.hosts[c.from].weight += bytes
		o.weight += bytes
		if c.weight > maxFirstCalls {
			c.end()
			ended = append(ended, c)
		}
		for o.weight > maxUnprovenWeight {
			heavy := o.oldest(func(h *host) int { return max(h.weight-firstCall, 0) }, func(c *Conn) bool { return c.weight > 0 })
			heavy.end()
			ended = append(ended, heavy)
		}
	}
	o.mu.Unlock()
	for _, c := range ended {
		c.hangUp()
	}
}
