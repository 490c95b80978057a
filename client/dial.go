package client

import (
	_ "embed"
	"time"

	"google.golang.org/grpc"
	_ "google.golang.org/grpc/health" // client-side health checks, which the service config asks for
	"google.golang.org/grpc/keepalive"
)

//go:embed service-config.json
var serviceConfig string

const (
	// pingInterval is how long a connection may be silent before it is checked. The gateway allows pings every 10 s.
	pingInterval = 30 * time.Second
	// pingTimeout is how long the answer to a ping may take until the connection counts as broken.
	pingTimeout = 10 * time.Second
	// idleTimeout is how long connections are kept without a call. The gateway closes new connections on which no call
	// is made for 10 s, so round_robin would open them again and again.
	idleTimeout = 5 * time.Minute
)

// ServiceConfig returns the gRPC service config, the content of service-config.json: load balancing, health checks,
// timeouts, and the numbers for retries. It is for clients that do not use [DialOptions].
func ServiceConfig() string { return serviceConfig }

// DialOptions returns the options of a connection to the gateway:
//
//   - Calls go in turn to all addresses of the target, round_robin, except to gateways whose health check says that they
//     cannot serve. Use a target that resolves to all gateways, such as "dns:///gateway.example:9090".
//   - A call gets 30 s, with all its attempts, unless its context has a shorter deadline.
//   - A call that certainly wrote nothing is repeated, as the package's documentation describes under Retries.
//   - A connection that is silent for 30 s is checked with a ping. Connections without a call are closed after 5 minutes.
//
// The result is for one [grpc.ClientConn]. It has no transport credentials: choose them with
// [grpc.WithTransportCredentials], and add [Token] with [grpc.WithPerRPCCredentials].
func DialOptions() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithDefaultServiceConfig(serviceConfig),
		grpc.WithDisableRetry(), // of the retry policy; gRPC still repeats what a server has not processed for certain
		grpc.WithChainUnaryInterceptor(newRetrier(mustParse(serviceConfig)).intercept),
		grpc.WithStatsHandler(sendWatcher{}),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: pingInterval, Timeout: pingTimeout}),
		grpc.WithIdleTimeout(idleTimeout),
	}
}
