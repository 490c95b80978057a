package connlimit

import (
	"container/list"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// A connection is unauthenticated until a call on it was let in. Anybody can open one, so unauthenticated ones are few, short-lived
// and light. Who opens too many crowds out the oldest of its own host, and who sends too much the oldest of the host that
// sends the most, so that one host keeps out no newcomer of another. Newcomers of one host (or of one proxy, which is a
// host too) cannot be told from who floods from there: they get in as long as they are quicker than 256 connections or
// 2 MiB that come after them. Against a flood from hundreds of hosts only a firewall helps.
const (
	// MaxUnauthenticated is enough for the callers of a shop to connect at the same moment. Held idle, that many cost a door
	// less than 8 MiB, with TLS less than 24 MiB.
	MaxUnauthenticated = 256
	// authenticationTime is for a TLS handshake and a first call over the slowest of lines. A client that connects early and
	// calls later finds its connection closed, as any idle one may be: it opens another with the call.
	authenticationTime = 10 * time.Second
	// maxUnauthenticatedWeight bounds, in bytes, what unauthenticated connections together make the gateway hold: 256 of them could
	// otherwise send 100 messages of 128 KiB each at once. It has room for 200 first calls at the same moment; with what
	// is on its way to the garbage collector it takes some 20 MiB.
	maxUnauthenticatedWeight = 2 << 20
	// maxFirstCalls is how much of that one connection may have. A client that was waiting for its connection begins
	// with 100 calls at once, of which so much can come before the first of them is let in: streamWeight each, their
	// headers, and what the connection's window lets through.
	maxFirstCalls = 1 << 20
	// largestCall is what a host may have of it before it counts as one that sends much: a call of the greatest size.
	largestCall = MaxMessage + MaxHeader
	// stallTime is how long the other side may take less than minProgress bytes of what is written to it.
	stallTime   = 10 * time.Second
	minProgress = 1 << 10
)

// Where this door stops to read, in bytes; the other door has the same bound on headers. The contract's own limit
// on a request, 64 KiB, is checked by the service, which can say what is wrong.
const (
	MaxMessage = 128 << 10
	MaxHeader  = 16 << 10
)

// RequestTimeout is how long a request may take to arrive: longer than one of 64 KiB takes over the slowest of lines, and
// less than authenticationTime, so that the first on a connection is answered before that is closed.
const RequestTimeout = 9 * time.Second

// connections are the open connections of one door.
type table struct {
	mu              sync.Mutex
	hosts           map[netip.Prefix]*host // of the unauthenticated ones
	unauthenticated int
	weight          int    // of the unauthenticated ones together
	accepted        uint64 // how many there have been

	authenticated int
	shares        map[shareKey]*share // of the authenticated ones
	capacity      *sync.Cond          // a share holds less than before, or a connection has ended
}

func newTable() *table {
	o := &table{hosts: map[netip.Prefix]*host{}, shares: map[shareKey]*share{}}
	o.capacity = sync.NewCond(&o.mu)
	return o
}

// host is where unauthenticated connections come from.
type host struct {
	unauthenticated list.List // of *Conn, the oldest first
	weight          int
}

// NewListener bounds the connections of a listener.
func NewListener(listener net.Listener) net.Listener {
	return boundedListener{listener, newTable()}
}

// boundedListener bounds the connections that it accepts.
type boundedListener struct {
	net.Listener

	open *table
}

func (l boundedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return l.open.accept(conn), nil
}

// Conn is a connection as it is below TLS.
type Conn struct {
	net.Conn

	table      *table
	from       netip.Prefix
	weightless atomic.Bool  // it is not unauthenticated, and what it sends needs no weighing
	streams    atomic.Int32 // the streams on it that are no calls

	// The rest is guarded by among.mu.
	state connectionState

	// While it is unauthenticated.
	expiry  *time.Timer
	element *list.Element // among those of its host
	order   uint64        // of all that have become unauthenticated: the oldest has the lowest
	weight  int

	calls     int  // let in, and in flight
	confirmed bool // a call on it has gone well
	held      int  // by its partial messages
	share     *share
	key       shareKey
}

type connectionState int

const (
	isUnauthenticated connectionState = iota
	isAuthenticated
	isClosed
)

func (o *table) accept(conn net.Conn) *Conn {
	c := &Conn{Conn: conn, table: o, from: hostOf(conn.RemoteAddr())}
	o.mu.Lock()
	evicted := c.becomeUnauthenticated()
	o.mu.Unlock()
	evicted.hangUp()
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

// becomeUnauthenticated is called with among.mu held. It returns the connection that has to go for this one, or nil.
func (c *Conn) becomeUnauthenticated() *Conn {
	o := c.table
	if o.hosts[c.from] == nil {
		o.hosts[c.from] = &host{}
	}
	of := o.hosts[c.from]
	c.state, c.order = isUnauthenticated, o.accepted
	c.element = of.unauthenticated.PushBack(c)
	c.expiry = time.AfterFunc(authenticationTime, c.expire)
	c.weightless.Store(false)
	of.weight += c.weight
	o.accepted++
	o.unauthenticated++
	o.weight += c.weight
	if o.unauthenticated <= MaxUnauthenticated {
		return nil
	}
	oldest := o.oldest(func(h *host) int { return h.unauthenticated.Len() }, func(*Conn) bool { return true })
	oldest.remove()
	return oldest
}

// oldest returns the oldest unauthenticated connection that is meant, of the host that has the most. Where several have the
// same, it is the oldest of all of these. It is called with mu held.
func (o *table) oldest(most func(*host) int, eligible func(*Conn) bool) *Conn {
	var oldest *Conn
	rank := -1
	for _, of := range o.hosts {
		for element := of.unauthenticated.Front(); element != nil; element = element.Next() {
			c, _ := element.Value.(*Conn)
			if !eligible(c) {
				continue
			}
			if r := most(of); r > rank || r == rank && c.order < oldest.order {
				oldest, rank = c, r
			}
			break
		}
	}
	return oldest
}

// drop closes a connection of which nothing is known that would be lost with it.
func (c *Conn) expire() {
	c.table.mu.Lock()
	unauthenticated := c.state == isUnauthenticated
	if unauthenticated {
		c.remove()
	}
	c.table.mu.Unlock()
	if unauthenticated {
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
	c.table.mu.Lock()
	c.remove()
	c.table.mu.Unlock()
	return c.Conn.Close()
}

// end takes the connection out of all counts. It is called with among.mu held, by who found out that it is to be closed:
// nothing can be let in on it from then on.
func (c *Conn) remove() {
	switch c.state {
	case isUnauthenticated:
		c.leaveUnauthenticated()
	case isAuthenticated:
		c.leaveShare()
	case isClosed:
	}
	c.state = isClosed
	c.table.capacity.Broadcast()
}

// leaveUnauthenticated is called with among.mu held.
func (c *Conn) leaveUnauthenticated() {
	c.expiry.Stop()
	of := c.table.hosts[c.from]
	of.unauthenticated.Remove(c.element)
	of.weight -= c.weight
	if of.unauthenticated.Len() == 0 {
		delete(c.table.hosts, c.from)
	}
	c.table.unauthenticated--
	c.table.weight -= c.weight
	c.weightless.Store(true)
}

// weigh adds what an unauthenticated connection makes the gateway hold.
func (c *Conn) weigh(bytes int) {
	if c.weightless.Load() || bytes == 0 {
		return
	}
	o := c.table
	var ended []*Conn
	o.mu.Lock()
	if c.state == isUnauthenticated {
		bytes = max(bytes, -c.weight)
		c.weight += bytes
		o.hosts[c.from].weight += bytes
		o.weight += bytes
		if c.weight > maxFirstCalls {
			c.remove()
			ended = append(ended, c)
		}
		for o.weight > maxUnauthenticatedWeight {
			heavy := o.oldest(func(h *host) int { return max(h.weight-largestCall, 0) }, func(c *Conn) bool { return c.weight > 0 })
			heavy.remove()
			ended = append(ended, heavy)
		}
	}
	o.mu.Unlock()
	for _, c := range ended {
		c.hangUp()
	}
}
