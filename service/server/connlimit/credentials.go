package connlimit

import (
	"fmt"
	"net"

	"google.golang.org/grpc/credentials"
)

// meteredCredentials meters the frames of connections once their handshake is done. The peer of a call has the AuthInfo
// of the credentials within: with TLS a credentials.TLSInfo.
type meteredCredentials struct {
	credentials.TransportCredentials

	failed func(net.Addr, error)
}

// NewCredentials returns credentials that meter the frames of the connections of a bounded listener. failed gets the
// errors of handshakes, which gRPC does not report.
func NewCredentials(within credentials.TransportCredentials, failed func(net.Addr, error)) credentials.TransportCredentials {
	return meteredCredentials{within, failed}
}

func (m meteredCredentials) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	below, ok := raw.(*Conn)
	if !ok {
		return nil, nil, fmt.Errorf("connection of type %T; it must come from NewListener", raw)
	}
	conn, info, err := m.TransportCredentials.ServerHandshake(raw)
	if err != nil {
		m.failed(raw.RemoteAddr(), err)
		return nil, nil, err
	}
	return newMeteredConn(conn, below), info, nil
}

func (m meteredCredentials) Clone() credentials.TransportCredentials {
	return meteredCredentials{m.TransportCredentials.Clone(), m.failed}
}
