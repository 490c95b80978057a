package connlimit

import "net/netip"

const (
	// maxAuthenticated is enough for every worker of a large shop to keep a connection of its own.
	maxAuthenticated = 4096
	// maxShare is how many of them one caller has, so that no caller keeps all others out.
	maxShare = maxAuthenticated / 4
)

// share is what one caller has of a door. Its fields are guarded by connections.mu.
type share struct {
	authenticated int   // connections
	held          int   // by partial messages, on all of them
	exempt        *Conn // the one that is read when that is too much
}

// shareKey tells whose a share is: a caller's whose name is known to be true, or else a host's.
type shareKey struct {
	name string
	host netip.Prefix
}

// Caller is who a call on a connection comes from.
type Caller interface {
	// ConnectionShare returns the name whose share of the connections the call counts towards, empty for that of its host, and
	// whether that share is limited. Where everybody may call there are no names, and a host may be a proxy with all
	// callers behind it: it may have every connection.
	ConnectionShare() (name string, limited bool)
}

// shareOf returns whose share a connection of a caller is of, and how many connections that may have.
func (c *Conn) shareOf(caller Caller) (shareKey, int) {
	name, limited := caller.ConnectionShare()
	key, most := shareKey{name: name}, maxAuthenticated
	if name == "" {
		key.host = c.from
	}
	if limited {
		most = maxShare
	}
	return key, most
}

// Result is what comes of a call that is about to be let in.
type Result int

const (
	Admitted Result = iota
	AtCapacity
	Closed
)

// Begin notes that a call of who is let in, and proves the connection if there is room for another. One without room
// stays what it is, and ends soon. A connection with a call in flight is never taken back.
func (c *Conn) Begin(who Caller) Result {
	o := c.table
	o.mu.Lock()
	defer o.mu.Unlock()
	switch c.state {
	case isClosed:
		return Closed
	case isUnauthenticated:
		key, most := c.shareOf(who)
		if of := o.shares[key]; o.authenticated >= maxAuthenticated || of != nil && of.authenticated >= most {
			return AtCapacity
		}
		c.leaveUnauthenticated()
		c.state = isAuthenticated
		c.joinShare(key)
	case isAuthenticated:
	}
	c.calls++
	return Admitted
}

// End notes that a call of who has ended, and whether it is confirmed by now that who may call. If that is confirmed of
// none that came on the connection, it is unauthenticated again.
func (c *Conn) End(who Caller, confirmed bool) {
	c.table.mu.Lock()
	c.calls--
	var evicted *Conn
	if c.state == isAuthenticated {
		c.confirmed = c.confirmed || confirmed
		key, _ := c.shareOf(who)
		switch {
		case confirmed && c.key.name == "" && key.name != "": // it was a host's, until the store agreed
			c.leaveShare()
			c.joinShare(key)
		case !c.confirmed && c.calls == 0:
			c.leaveShare()
			evicted = c.becomeUnauthenticated()
		}
	}
	c.table.mu.Unlock()
	evicted.hangUp()
}

// joinShare is called with among.mu held.
func (c *Conn) joinShare(key shareKey) {
	o := c.table
	if o.shares[key] == nil {
		o.shares[key] = &share{}
	}
	c.key, c.share = key, o.shares[key]
	c.share.authenticated++
	c.share.held += c.held
	o.authenticated++
}

// leaveShare is called with among.mu held.
func (c *Conn) leaveShare() {
	o := c.table
	c.share.authenticated--
	c.share.held -= c.held
	if c.share.exempt == c {
		c.share.exempt = nil
	}
	if c.share.authenticated == 0 {
		delete(o.shares, c.key)
	}
	c.share = nil
	o.authenticated--
	o.capacity.Broadcast()
}
