package server

import (
	"crypto/tls"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// The protocols that the transports offer in TLS. The HTTP/JSON gateway speaks HTTP/1.1 only, so that attacks with
// HTTP/2 frames can reach only the gRPC server, which counts them.
const (
	protocolGRPC = "h2"
	protocolHTTP = "http/1.1"
)

// offering returns the configuration of one transport. It copies nothing that may change: certificates and certificate
// authorities are asked for in each handshake.
func offering(protocol string, cfg *tls.Config) *tls.Config {
	own := cfg.Clone()
	own.NextProtos = []string{protocol}
	own.MinVersion = max(own.MinVersion, tls.VersionTLS12)
	if own.CipherSuites == nil {
		own.CipherSuites = cipherSuites()
	}
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

// cipherSuites returns the suites of TLS 1.2 with forward secrecy and authenticated encryption. Go's own defaults have CBC
// suites too, which HTTP/2 forbids (RFC 9113, appendix A) and scanners report. The suites of TLS 1.3 cannot be chosen.
func cipherSuites() []uint16 {
	return []uint16{
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	}
}

// grpcCredentials returns the credentials of the gRPC server; without a configuration it speaks plain HTTP/2.
func grpcCredentials(cfg *tls.Config) credentials.TransportCredentials {
	if cfg == nil {
		return insecure.NewCredentials()
	}
	return credentials.NewTLS(offering(protocolGRPC, cfg))
}
