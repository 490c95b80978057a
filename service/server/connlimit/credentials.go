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

	answer string
	failed func(net.Addr, error)
}

// NewCredentials returns credentials that meter the frames of the connections of a bounded listener. A client of HTTP/1.1
// gets the answer. failed gets the errors of handshakes and of such clients, which gRPC does not report.
func NewCredentials(within credentials.TransportCredentials, answer string, failed func(net.Addr, error)) credentials.TransportCredentials {
	return meteredCredentials{within, answer, failed}
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
	hello := greeting{answer: m.answer, misled: func() { m.failed(raw.RemoteAddr(), errHTTP1) }}
	return newMeteredConn(conn, below, hello), info, nil
}

func (m meteredCredentials) Clone() credentials.TransportCredentials {
	return meteredCredentials{m.TransportCredentials.Clone(), m.answer, m.failed}
}
