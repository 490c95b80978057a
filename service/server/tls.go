package server

import (
	"crypto/tls"

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

// grpcCredentials are those of the gRPC door.
func grpcCredentials(cfg *tls.Config) credentials.TransportCredentials {
	if cfg == nil {
		return insecure.NewCredentials()
	}
	return credentials.NewTLS(offering(protocolGRPC, cfg))
}
