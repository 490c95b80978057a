package server

import (
	"log/slog"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
)

// Where this door stops to read, in bytes; the other door has the same bound on headers. The contract's own limit
// on a request, 64 KiB, is checked by the service, which can say what is wrong.
const (
	maxMessage = 128 << 10
	maxHeader  = 16 << 10
)

// newGRPCServer returns the gRPC door, with reflection for grpcurl and with health checks.
func newGRPCServer(cfg Config, healthServer *health.Server) *grpc.Server {
	server := grpc.NewServer(
		grpc.UnaryInterceptor(chain(interceptors(cfg, "grpc"))),
		grpc.StreamInterceptor(callerAuthOfStreams(cfg.Callers)),
		grpc.InTapHandle(beforeReading(cfg.Callers, newRefusalLog(cfg.Logger.With(slog.String("door", "grpc"))))),
		grpc.ForceServerCodecV2(newCodec()),
		grpc.MaxRecvMsgSize(maxMessage),
		grpc.MaxHeaderListSize(maxHeader),
		grpc.MaxConcurrentStreams(100),
		grpc.ConnectionTimeout(10*time.Second),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 10 * time.Second, PermitWithoutStream: true}),
	)
	customerv1.RegisterCustomerServiceServer(decodingInside{server}, cfg.Customers)
	healthv1.RegisterHealthServer(server, healthServer)
	healthServer.SetServingStatus(customerv1.CustomerService_ServiceDesc.ServiceName, healthv1.HealthCheckResponse_SERVING)
	reflection.Register(server) // v1 and v1alpha
	return server
}
