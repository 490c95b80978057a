package connlimit

import "net/netip"

// Caller is the origin of a call.
type Caller interface {
	// ConnectionShare returns the name whose share of the connections the call counts towards, and whether the share is
	// limited. Without a name it is the share of the caller's host. Where everyone may call, callers have no names, and
	// a host may be a proxy with all callers behind it: its share is not limited.
	ConnectionShare() (name string, limited bool)
}

// Result says whether a call is admitted.
type Result int

// The results of Begin.
const (
	Admitted   Result = iota
	AtCapacity        // there are too many authenticated connections, in total or of this caller
	Closed            // the connection was closed before the call was admitted
)

// shareKey identifies a share: by the caller's name if it is verified, otherwise by the host.
type shareKey struct {
	name string
	host netip.Prefix
}

// share is the part of the authenticated connections that one caller has. Its fields are guarded by table.mu.
type share struct {
	connections int
	held        int   // bytes, by the partially received requests on all of them
	exempt      *Conn // the connection that is read although too much is held
}

// shareOf returns the key of the share that a caller's connection belongs to, and the limit of that share.
func (c *Conn) shareOf(caller Caller) (shareKey, int) {
	name, limited := caller.ConnectionShare()
	key, limit := shareKey{name: name}, maxAuthenticated
	if name == "" {
		key.host = c.from
	}
	if limited {
		limit = maxShare
	}
	return key, limit
}

// Begin admits a call, and makes the connection an authenticated one if there is capacity. Without capacity the
// connection stays unauthenticated and expires soon. A connection with a call in flight never becomes unauthenticated.
// End must follow an admitted call.
func (c *Conn) Begin(caller Caller) Result {
	t := c.table
	t.mu.Lock()
	defer t.unlock()
	switch c.state {
	case isClosed, isWaiting: // no call arrives on a connection that waits
		return Closed
	case isUnauthenticated:
		if c.leaving { // GOAWAY promised the client that this call is not made, so it makes it elsewhere
			return Closed
		}
		key, limit := c.shareOf(caller)
		if of := t.shares[key]; t.authenticated >= maxAuthenticated || of != nil && of.connections >= limit {
			return AtCapacity
		}
		t.hosts[c.from].progress()
		c.leaveUnauthenticated()
		c.state = isAuthenticated
		c.joinShare(key)
	case isAuthenticated:
	}
	c.calls++
	return Admitted
}

// End ends a call that Begin admitted. confirmed says whether the caller's identity is certain by now. If it was
// confirmed for no call on the connection, the connection becomes unauthenticated again.
func (c *Conn) End(caller Caller, confirmed bool) {
	c.table.mu.Lock()
	defer c.table.unlock()
	c.calls--
	if c.state == isAuthenticated {
		c.confirmed = c.confirmed || confirmed
		key, _ := c.shareOf(caller)
		switch {
		case confirmed && c.key.name == "" && key.name != "": // it counted towards its host until the store verified the account
			c.leaveShare()
			c.joinShare(key)
		case !c.confirmed && c.calls == 0:
			c.leaveShare()
			c.begins()
			c.becomeUnauthenticated()
		}
	}
}

// joinShare adds the connection to a share. The caller holds table.mu.
func (c *Conn) joinShare(key shareKey) {
	t := c.table
	if t.shares[key] == nil {
		t.shares[key] = &share{}
	}
	c.key, c.share = key, t.shares[key]
	c.share.connections++
	c.share.held += c.held
	t.authenticated++
}

// leaveShare removes the connection from its share. The caller holds table.mu.
func (c *Conn) leaveShare() {
	t := c.table
	c.share.connections--
	c.share.held -= c.held
	if c.share.exempt == c {
		c.share.exempt = nil
	}
	if c.share.connections == 0 {
		delete(t.shares, c.key)
	}
	c.share = nil
	t.authenticated--
	t.capacity.Broadcast()
}
