package connlimit

import "time"

// The bounds on one request, in bytes. Both transports have the bound on headers, the gRPC server that on messages. The
// contract's own limit on a request, 64 KiB, is checked by the service, which can say what is wrong.
const (
	MaxMessage = 128 << 10
	MaxHeader  = 16 << 10
)

// MaxHeaderList is how many bytes of headers the gRPC server decodes. A call with more than MaxHeader is rejected, and only
// that call. Beyond MaxHeaderList the connection ends, because the table of compressed headers is lost with the part that
// is not decoded (RFC 7541, 2.2). The server's SETTINGS hold it, and most clients keep to it. It is not larger because a few
// hundred bytes of compressed headers can make the server decode as much.
const MaxHeaderList = 72 << 10

// RequestTimeout is how long a request may take to arrive: longer than one of 64 KiB takes over the slowest of lines, and
// less than authenticationTime, so that the first request on a connection is answered before the connection is closed.
const RequestTimeout = 9 * time.Second

// MaxStreams bounds the streams other than calls that a connection has at a time: watching the health of a few
// services, and one reflection query. Such streams end with their connection.
const MaxStreams = 16

// The bounds on unauthenticated connections.
const (
	// MaxUnauthenticated is the number of places in the table. That many idle connections cost a transport less than
	// 8 MiB, with TLS less than 24 MiB.
	MaxUnauthenticated = 256
	// maxWaiting lets twice as many clients connect at the same moment as one caller may have connected. That many waiting
	// connections cost a transport less than 4 MiB. Beyond it, the next one of them evicts at once.
	maxWaiting = 2 * maxShare
	// maxWait is how long a connection waits for a place before it evicts another one. While the host is a burst, which
	// authenticates burstProgress of its connections within maxWait, a connection waits for up to 2*maxWait: 1,000 clients
	// on the two cores of the gateway itself take 1 s to 8 s for their first calls. A flood authenticates none.
	maxWait       = 3 * time.Second
	burstProgress = MaxUnauthenticated / 4
	// maxWaitOfOtherHost is the same for a connection of a host that has fewer than another. In a burst, a place becomes
	// free within it; in a flood, no newcomer of another host waits longer.
	maxWaitOfOtherHost = 250 * time.Millisecond
	// authenticationTime is enough for a TLS handshake and a first call over the slowest of lines. A client that
	// connects early and calls later finds its connection closed, as any idle connection may be, and opens another. It
	// includes the wait for a place, which leaves at least 4 s.
	authenticationTime = 10 * time.Second
	// leavingTime is the last part of it, in which a gRPC client has time to leave, after GOAWAY: a round trip over a slow
	// line. Its connection keeps its place in the table, and may be evicted for another one.
	leavingTime = 500 * time.Millisecond
	// maxUnauthenticatedWeight bounds, in bytes, the memory that all unauthenticated connections together make the
	// gateway hold: 256 of them could otherwise send 100 messages of 128 KiB each at once. It is enough for 200 first
	// calls at the same moment; with garbage that is not collected yet, the process takes some 20 MiB for it.
	maxUnauthenticatedWeight = 2 << 20
	// maxFirstCalls bounds the part of one connection. A client that waited for its connection begins with 100 calls at
	// once. Before the first of them is admitted, each can weigh streamWeight and its headers, and all together as much
	// data as the connection's flow-control window lets through.
	maxFirstCalls = 1 << 20
	// largestCall is the weight up to which a host does not count as one that sends much: a call of the greatest size.
	largestCall = MaxMessage + MaxHeader
)

// The bounds on authenticated connections.
const (
	// maxAuthenticated lets every worker of a large shop keep a connection of its own.
	maxAuthenticated = 4096
	// maxShare bounds the connections of one caller, so that no caller can take all of them.
	maxShare = maxAuthenticated / 4
)

// A write fails when the client takes less than minProgress bytes within stallTime.
const (
	stallTime   = 10 * time.Second
	minProgress = 1 << 10
)
