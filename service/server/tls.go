package server

import (
	"crypto/tls"
	"fmt"
	"net"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// The protocols that the doors offer in TLS. The JSON door speaks HTTP/1.1 only: what can be done to a server with the
// frames of HTTP/2 can then be done at one door only, which counts them.
const (
	protocolGRPC = "h2"
	protocolJSON = "http/1.1"
)

// offering is a configuration for one door. It takes nothing out of the given one that may change: certificates and
// certificate authorities are asked for in each handshake.
func offering(protocol string, cfg *tls.Config) *tls.Config {
	own := cfg.Clone()
	own.NextProtos = []string{protocol}
	own.MinVersion = max(own.MinVersion, tls.VersionTLS12)
	if choose := cfg.GetConfigForClient; choose != nil {
		own.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			chosen, err := choose(hello)
			if chosen == nil || err != nil {
				return nil, err
			}
			return offering(protocol, chosen), nil
		}
	}
	return own
}

// meteredCredentials count the frames of connections once their handshake is done. A call's peer has what the
// credentials within say of it: with TLS a credentials.TLSInfo.
type meteredCredentials struct {
	credentials.TransportCredentials

	log *refusalLog
}

func newCredentials(cfg *tls.Config, log *refusalLog) credentials.TransportCredentials {
	if cfg == nil {
		return meteredCredentials{insecure.NewCredentials(), log}
	}
	return meteredCredentials{credentials.NewTLS(offering(protocolGRPC, cfg)), log}
}

// ServerHandshake is called with what the door's listener has accepted.
func (c meteredCredentials) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	below, ok := raw.(*connection)
	if !ok {
		return nil, nil, fmt.Errorf("a connection of the type %T, which the door's listener does not make", raw)
	}
	conn, info, err := c.TransportCredentials.ServerHandshake(raw)
	if err != nil {
		c.log.connection(raw.RemoteAddr(), err) // gRPC tells nobody
		return nil, nil, err
	}
	return newMeteredConn(conn, below), info, nil
}

// Clone copies the credentials.
func (c meteredCredentials) Clone() credentials.TransportCredentials {
	return meteredCredentials{c.TransportCredentials.Clone(), c.log}
}
