package connlimit

import "net"

// party is a caller in a test.
type party struct {
	name    string
	limited bool
}

func (p *party) ConnectionShare() (name string, limited bool) { return p.name, p.limited }

// named is a caller whose name is verified.
func named(name string) *party { return &party{name, true} }

// unverified is a caller with a store account that is not verified: its connections count towards its host.
func unverified() *party { return &party{"", true} }

// anonymous is a caller of a gateway that everyone may call.
func anonymous() *party { return &party{} }

// begin admits a call on a connection of a test's listener.
func begin(conn net.Conn, caller Caller) bool { return conn.(*Conn).Begin(caller) == Admitted }

func end(conn net.Conn, caller Caller, confirmed bool) { conn.(*Conn).End(caller, confirmed) }

// authenticate admits a call on a connection.
func authenticate(conn net.Conn) bool { return begin(conn, anonymous()) }

// metered counts the frames of an authenticated connection.
func metered(conn net.Conn) net.Conn {
	below := newTable(func(Reason, net.Addr) {}).accept(conn)
	below.Begin(anonymous())
	return newMeteredConn(below, below, greeting{misled: func() {}})
}

// meteredOn counts the frames of a connection of a test's listener.
func meteredOn(conn net.Conn) net.Conn {
	return newMeteredConn(conn, conn.(*Conn), greeting{misled: func() {}})
}
