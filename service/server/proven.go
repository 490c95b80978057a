package server

import (
	"context"
	"net/netip"

	"google.golang.org/grpc"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
)

const (
	// maxProven is enough for every worker of a large shop to keep a connection of its own.
	maxProven = 4096
	// maxShare is how many of them one caller has, so that no caller keeps all others out.
	maxShare = maxProven / 4
)

// share is what one caller has of a door. Its fields are guarded by connections.mu.
type share struct {
	proven int         // connections
	held   int         // by unfinished messages, on all of them
	first  *connection // the one that is read when that is too much
}

// shareKey tells whose a share is: a caller's whose name is known to be true, or else a host's.
type shareKey struct {
	name string
	host netip.Prefix
}

// shareOf returns whose share a connection of who is of, and how many connections that may have. Where everybody may
// call there are no names, and a host may be a proxy with all callers behind it: it may have every connection.
func (c *connection) shareOf(who *auth.Caller) (shareKey, int) {
	switch {
	case who == nil:
		return shareKey{host: c.from}, maxProven
	case who.Authenticated, who.Store != nil && who.Store.Verified():
		return shareKey{name: who.Name}, maxShare
	case who.Store != nil:
		return shareKey{host: c.from}, maxShare
	default:
		return shareKey{host: c.from}, maxProven
	}
}

// entrance is what comes of a call that is about to be let in.
type entrance int

const (
	isIn entrance = iota
	isCrowded
	isGone
)

// enter notes that a call of who is let in, and proves the connection if there is room for another. One without room
// stays what it is, and ends soon. A connection with a call in flight is never taken back.
func (c *connection) enter(who *auth.Caller) entrance {
	o := c.among
	o.mu.Lock()
	defer o.mu.Unlock()
	switch c.state {
	case isClosed:
		return isGone
	case isUnproven:
		key, most := c.shareOf(who)
		if of := o.shares[key]; o.proven >= maxProven || of != nil && of.proven >= most {
			return isCrowded
		}
		c.leaveUnproven()
		c.state = isProven
		c.joinShare(key)
	case isProven:
	}
	c.calls++
	return isIn
}

// leave notes that a call of who has ended, and whether it is certain by now that who may call. If that is certain of
// none that came on the connection, it is unproven again.
func (c *connection) leave(who *auth.Caller, certain bool) {
	c.among.mu.Lock()
	c.calls--
	var crowdedOut *connection
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
func (c *connection) joinShare(key shareKey) {
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
func (c *connection) leaveShare() {
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

// proving notes that a call was let in, and refuses it where there are too many callers.
func proving() grpc.UnaryServerInterceptor {
	crowded := apierror.New(apierror.TooManyConnections, apierror.NotSent, "too many callers are connected, or this one has too many connections; come again later, or through a connection that is open")
	gone := apierror.New(apierror.ConnectionClosed, apierror.NotSent, "the connection was closed before the call could be let in; nothing was written")
	return func(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		c := connectionOf(ctx)
		if c == nil || !guarded(info.FullMethod) { // health checks are for everybody, and so prove nothing
			return handler(ctx, request)
		}
		who := auth.FromContext(ctx)
		switch c.enter(who) {
		case isCrowded:
			return nil, crowded
		case isGone: // an outcome could reach nobody
			return nil, gone
		case isIn:
		}
		certain := who == nil || who.Store == nil
		defer func() { c.leave(who, certain) }()
		response, err := handler(ctx, request)
		// Who has an account only the store can say, and a failure may be its no.
		certain = certain || err == nil || who.Store.Verified()
		return response, err
	}
}
