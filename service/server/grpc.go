package server

import (
	"time"

	"google.golang.org/grpc"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server/connlimit"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server/interceptor"
)

// flowWindow is how many bytes of a stream are taken before its call reads them. It does not grow with the line: a
// request fits into it, and its sender decides how many there are. A smaller one gRPC does not take.
const flowWindow = 64 << 10

// newGRPCServer returns the gRPC door, with reflection for grpcurl and with health checks.
func newGRPCServer(cfg *Config, ready *readiness) *grpc.Server {
	rejections := interceptor.NewRejectionLog(interceptor.GRPC, cfg.Metrics, cfg.Logger)
	server := grpc.NewServer(
		grpc.UnaryInterceptor(interceptor.Unary(cfg.chain(interceptor.GRPC))),
		grpc.InTapHandle(interceptor.BeforeReading(cfg.Callers, rejections)),
		grpc.ForceServerCodecV2(interceptor.NewCodec()),
		grpc.MaxRecvMsgSize(connlimit.MaxMessage),
		grpc.MaxHeaderListSize(connlimit.MaxHeader),
		grpc.MaxConcurrentStreams(100),
		interceptor.Streams(cfg.Callers, cfg.Logger, ready.stopped),
		grpc.Creds(connlimit.NewCredentials(grpcCredentials(cfg.TLS), rejections.Connection)),
		grpc.StaticStreamWindowSize(flowWindow),
		// It bounds nothing once a call is let in, since grpc-go gives the window back before a call has read. Before, it
		// bounds what may come of first calls, which maxFirstCalls has room for.
		grpc.StaticConnWindowSize(flowWindow),
		grpc.ReadBufferSize(4<<10), // each connection has one
		grpc.KeepaliveParams(keepalive.ServerParameters{
			MaxConnectionIdle: 5 * time.Minute, // as long as a caller may have nothing to change
			// Streams that are no calls end with their connection, and so does what a caller never takes. Callers are
			// told to connect anew; their calls end before the grace does.
			MaxConnectionAge:      30 * time.Minute,
			MaxConnectionAgeGrace: 2 * time.Minute,
			Time:                  2 * time.Minute, // who has vanished without a word, or reads nothing, is found out
			Timeout:               20 * time.Second,
		}),
		grpc.ConnectionTimeout(10*time.Second),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 10 * time.Second, PermitWithoutStream: true}),
	)
	customerv1.RegisterCustomerServiceServer(interceptor.DecodeInHandler(server), cfg.Customers)
	healthv1.RegisterHealthServer(server, ready)
	reflection.Register(server) // v1 and v1alpha
	return server
}
