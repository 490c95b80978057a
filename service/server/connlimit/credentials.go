package connlimit

import (
	"fmt"
	"net"

	"google.golang.org/grpc/credentials"
)

// meteredCredentials count the frames of connections once their handshake is done. A call's peer has what the
// credentials within say of it: with TLS a credentials.TLSInfo.
type meteredCredentials struct {
	credentials.TransportCredentials

	failed func(net.Addr, error)
}

// NewCredentials wraps credentials. failed gets the errors of handshakes, which gRPC does not report.
func NewCredentials(within credentials.TransportCredentials, failed func(net.Addr, error)) credentials.TransportCredentials {
	return meteredCredentials{within, failed}
}

// ServerHandshake is called with what the door's listener has accepted.
func (c meteredCredentials) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	below, ok := raw.(*Conn)
	if !ok {
		return nil, nil, fmt.Errorf("a connection of the type %T, which the door's listener does not make", raw)
	}
	conn, info, err := c.TransportCredentials.ServerHandshake(raw)
	if err != nil {
		c.failed(raw.RemoteAddr(), err)
		return nil, nil, err
	}
	return newMeteredConn(conn, below), info, nil
}

// Clone copies the credentials.
func (c meteredCredentials) Clone() credentials.TransportCredentials {
	return meteredCredentials{c.TransportCredentials.Clone(), c.failed}
}
