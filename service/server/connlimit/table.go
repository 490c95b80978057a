// Package connlimit bounds the connections of a listener: how many there are, how much memory they make the gateway
// hold, and how many HTTP/2 frames they send. It knows neither the contract nor the errors that callers get.
//
// A connection is unauthenticated until a call on it is admitted. Anyone can open one, so unauthenticated connections
// are few, short-lived and small. When there are too many, the oldest one of the host with the most is evicted; when
// they hold too much memory, the oldest one of the host that sends the most. So one host cannot keep out newcomers from
// other hosts. Newcomers from the flooding host itself, or behind the same proxy, cannot be distinguished from the
// flood: they succeed if they are faster than the next 256 connections or 2 MiB. Against a flood from hundreds of hosts
// only a firewall helps.
package connlimit

import (
	"container/list"
	"net"
	"net/netip"
	"sync"
	"time"
)

// NewListener bounds the connections of a listener.
func NewListener(listener net.Listener) net.Listener {
	return boundedListener{listener, newTable()}
}

type boundedListener struct {
	net.Listener

	table *table
}

func (l boundedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return l.table.accept(conn), nil
}

// table holds the open connections of one listener.
type table struct {
	mu              sync.Mutex
	hosts           map[netip.Prefix]*host // of the unauthenticated connections
	unauthenticated int
	weight          int    // of the unauthenticated connections
	accepted        uint64 // how many connections have become unauthenticated so far

	authenticated int
	shares        map[shareKey]*share // of the authenticated connections
	capacity      *sync.Cond          // signalled when a share holds less than before, or a connection has ended
}

func newTable() *table {
	t := &table{hosts: map[netip.Prefix]*host{}, shares: map[shareKey]*share{}}
	t.capacity = sync.NewCond(&t.mu)
	return t
}

// host is an origin of unauthenticated connections.
type host struct {
	unauthenticated list.List // of *Conn, the oldest first
	weight          int
}

// hostOf returns the host of an address. For IPv6 it is the /64 network, in which a host can choose its address.
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
	network, _ := ip.WithZone("").Prefix(bits) // it fails for a missing address only, which counts as one host
	return network
}

func (t *table) accept(conn net.Conn) *Conn {
	c := &Conn{Conn: conn, table: t, from: hostOf(conn.RemoteAddr())}
	t.mu.Lock()
	evicted := c.becomeUnauthenticated()
	t.mu.Unlock()
	evicted.hangUp()
	return c
}

// becomeUnauthenticated adds the connection to those of its host. It returns the connection to evict for it, or nil. The
// caller holds table.mu.
func (c *Conn) becomeUnauthenticated() *Conn {
	t := c.table
	if t.hosts[c.from] == nil {
		t.hosts[c.from] = &host{}
	}
	of := t.hosts[c.from]
	c.state, c.order = isUnauthenticated, t.accepted
	c.element = of.unauthenticated.PushBack(c)
	c.expiry = time.AfterFunc(authenticationTime, c.expire)
	c.weightless.Store(false)
	of.weight += c.weight
	t.accepted++
	t.unauthenticated++
	t.weight += c.weight
	if t.unauthenticated <= MaxUnauthenticated {
		return nil
	}
	oldest := t.oldest(func(h *host) int { return h.unauthenticated.Len() }, func(*Conn) bool { return true })
	oldest.remove()
	return oldest
}

// oldest returns the oldest eligible unauthenticated connection of the host that ranks highest. Among hosts of equal
// rank, the oldest connection of all decides. The caller holds mu.
func (t *table) oldest(rank func(*host) int, eligible func(*Conn) bool) *Conn {
	var oldest *Conn
	highest := -1
	for _, of := range t.hosts {
		for element := of.unauthenticated.Front(); element != nil; element = element.Next() {
			c, _ := element.Value.(*Conn)
			if !eligible(c) {
				continue
			}
			if r := rank(of); r > highest || r == highest && c.order < oldest.order {
				oldest, highest = c, r
			}
			break
		}
	}
	return oldest
}

// leaveUnauthenticated removes the connection from those of its host. The caller holds table.mu.
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
