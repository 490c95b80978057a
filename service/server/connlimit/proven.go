package connlimit

import "net/netip"

const (
	// maxProven is enough for every worker of a large shop to keep a connection of its own.
	maxProven = 4096
	// maxShare is how many of them one caller has, so that no caller keeps all others out.
	maxShare = maxProven / 4
)

// share is what one caller has of a door. Its fields are guarded by connections.mu.
type share struct {
	proven int   // connections
	held   int   // by unfinished messages, on all of them
	first  *Conn // the one that is read when that is too much
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
	key, most := shareKey{name: name}, maxProven
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
	o := c.among
	o.mu.Lock()
	defer o.mu.Unlock()
	switch c.state {
	case isClosed:
		return Closed
	case isUnproven:
		key, most := c.shareOf(who)
		if of := o.shares[key]; o.proven >= maxProven || of != nil && of.proven >= most {
			return AtCapacity
		}
		c.leaveUnproven()
		c.state = isProven
		c.joinShare(key)
	case isProven:
	}
	c.calls++
	return Admitted
}

// End notes that a call of who has ended, and whether it is certain by now that who may call. If that is certain of
// none that came on the connection, it is unproven again.
func (c *Conn) End(who Caller, certain bool) {
	c.among.mu.Lock()
	c.calls--
	var crowdedOut *Conn
	if c.state == isProven {
		c.sure = c.sure || certain
		key, _ := c.shareOf(who)
		switch {
		case certain && c.sharing.name == "" && key.name != "": // it was a host's, until the store agreed
			c.leaveShare()
			c.joinShare(key)
		case !c.sure && c.calls == 0:
			c.leaveShare()
			crowdedOut = c.becomeUnproven()
		}
	}
	c.among.mu.Unlock()
	crowdedOut.hangUp()
}

// joinShare is called with among.mu held.
func (c *Conn) joinShare(key shareKey) {
	o := c.among
	if o.shares[key] == nil {
		o.shares[key] = &share{}
	}
	c.sharing, c.share = key, o.shares[key]
	c.share.proven++
	c.share.held += c.held
	o.proven++
}

// leaveShare is called with among.mu held.
func (c *Conn) leaveShare() {
	o := c.among
	c.share.proven--
	c.share.held -= c.held
	if c.share.first == c {
		c.share.first = nil
	}
	if c.share.proven == 0 {
		delete(o.shares, c.sharing)
	}
	c.share = nil
	o.proven--
	o.room.Broadcast()
}
