// Package connlimit bounds the connections of a listener: how many there are, how much memory they make the gateway
// hold, and how many HTTP/2 frames they send. It knows neither the contract nor the errors that callers get.
//
// A connection is unauthenticated until a call on it is admitted. Anyone can open one, so unauthenticated connections
// are few, short-lived and small: a table holds at most MaxUnauthenticated of them. While it is full, further connections
// wait outside of it: they are accepted but not served, and cost a file descriptor and some 2 KiB. Honest clients
// authenticate within milliseconds and leave the table, so that a thousand of them that connect at once pass through it
// one after the other. The clients of a flood stay, so the wait is bounded: then the oldest unauthenticated connection of
// the host with the most is evicted. When unauthenticated connections hold too much memory, the oldest one of the host that
// sends the most is evicted, without a wait.
//
// One host cannot keep out newcomers from other hosts: the host with the fewest unauthenticated connections is the next
// to get a place, and waits a fraction of a second at most. Newcomers from the flooding host itself, or behind the same
// proxy, cannot be distinguished from the flood: they wait for some seconds at most, and then succeed if they are faster than the
// next 256 connections or 2 MiB. Against a flood from hundreds of hosts only a firewall helps.
package connlimit

import (
	"container/list"
	"net"
	"net/netip"
	"sync"
	"time"
)

// table holds the open connections of one listener.
type table struct {
	report func(Reason, net.Addr) // is called for each eviction

	mu              sync.Mutex
	hosts           map[netip.Prefix]*host // of the waiting and the unauthenticated connections
	waiting         int
	unauthenticated int
	weight          int         // of the unauthenticated connections
	accepted        uint64      // how many connections have arrived or become unauthenticated so far
	retry           *time.Timer // calls admit when the next waiting connection may evict another
	admitted        []*Conn     // not returned by Accept yet
	ready           chan struct{}
	closed          bool       // no connection is accepted any more
	evicted         []eviction // since mu was locked

	authenticated int
	shares        map[shareKey]*share // of the authenticated connections
	capacity      *sync.Cond          // signalled when a share holds less than before, or a connection has ended
}

func newTable(report func(Reason, net.Addr)) *table {
	t := &table{report: report, hosts: map[netip.Prefix]*host{}, shares: map[shareKey]*share{}, ready: make(chan struct{}, 1)}
	t.capacity = sync.NewCond(&t.mu)
	return t
}

// unlock ends a change of the table: it admits the waiting connections for which there is a place by now, and hangs up
// on the evicted ones without holding mu.
func (t *table) unlock() {
	t.admit()
	evicted := t.evicted
	t.evicted = nil
	t.mu.Unlock()
	for _, e := range evicted {
		_ = e.conn.Conn.Close()
		t.report(e.reason, e.conn.RemoteAddr())
	}
}

// host is an origin of waiting and unauthenticated connections.
type host struct {
	waiting         list.List // of *Conn, the oldest first
	unauthenticated list.List // the same
	weight          int

	authenticated int       // connections that have left the table for it so far
	moved         time.Time // when that number last reached a multiple of burstProgress
}

// progress counts a connection that leaves the table because it is authenticated. The caller holds table.mu.
func (h *host) progress() {
	if h.authenticated++; h.authenticated%burstProgress == 0 {
		h.moved = time.Now()
	}
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

// hostOf returns the entry of the connection's host. The caller holds mu.
func (t *table) hostOf(c *Conn) *host {
	if t.hosts[c.from] == nil {
		t.hosts[c.from] = &host{}
	}
	return t.hosts[c.from]
}

// forget removes the entry of a host without connections. The caller holds mu.
func (t *table) forget(from netip.Prefix) {
	if of := t.hosts[from]; of.waiting.Len() == 0 && of.unauthenticated.Len() == 0 {
		delete(t.hosts, from)
	}
}

// becomeUnauthenticated gives the connection a place in the table. The caller holds table.mu.
func (c *Conn) becomeUnauthenticated() {
	t, of := c.table, c.table.hostOf(c)
	c.state = isUnauthenticated
	c.element = of.unauthenticated.PushBack(c)
	c.weightless.Store(false)
	of.weight += c.weight
	t.unauthenticated++
	t.weight += c.weight
}

// leaveUnauthenticated removes the connection from those of its host. The caller holds table.mu.
func (c *Conn) leaveUnauthenticated() {
	c.expiry.Stop()
	of := c.table.hosts[c.from]
	of.unauthenticated.Remove(c.element)
	of.weight -= c.weight
	c.table.forget(c.from)
	c.table.unauthenticated--
	c.table.weight -= c.weight
	c.weightless.Store(true)
}

// begins starts the time within which a call must be admitted on the connection. The caller holds table.mu.
func (c *Conn) begins() {
	c.order, c.since = c.table.accepted, time.Now()
	c.table.accepted++
	c.expiry = time.AfterFunc(authenticationTime-leavingTime, c.expire)
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
