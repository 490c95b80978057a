package server

import (
	"strings"
	"time"

	"google.golang.org/grpc"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server/connlimit"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server/interceptor"
)

// flowWindow is how many bytes of a stream are received before its call reads them. It does not grow with the measured
// bandwidth: one request fits into it, and the client decides how many requests it sends at once. gRPC accepts no smaller
// window.
const flowWindow = 64 << 10

// streamWorkers is how many goroutines are kept for calls. Their stacks have grown already, and growing one takes a tenth of
// a call's CPU time. Further calls get new goroutines.
const streamWorkers = 64

// minPingInterval is half of the shortest keepalive interval of grpc-go's client, 10 s. A bound of 10 s ends its connections,
// because a ping is often early by some microseconds.
const minPingInterval = 5 * time.Second

// newGRPCServer returns the gRPC server, with reflection for grpcurl and with health checks. A client of HTTP/1.1 gets an
// answer.
func newGRPCServer(cfg *Config, ready *readiness, chain interceptor.Config, answerHTTP1 string) *grpc.Server {
	server := grpc.NewServer(
		grpc.UnaryInterceptor(interceptor.Unary(chain)),
		interceptor.Streams(cfg.Logger, ready.stopped),
		grpc.UnknownServiceHandler(unknownMethod(chain.Rejections)),
		grpc.InTapHandle(interceptor.NewEntrance(chain).Tap),
		grpc.ForceServerCodecV2(interceptor.NewCodec()),
		grpc.MaxRecvMsgSize(connlimit.MaxMessage),
		grpc.MaxHeaderListSize(connlimit.MaxHeaderList), // the entrance rejects calls with more than MaxHeader
		grpc.MaxConcurrentStreams(100),
		grpc.NumStreamWorkers(streamWorkers),
		grpc.Creds(connlimit.NewCredentials(grpcCredentials(cfg.TLS), answerHTTP1, chain.Rejections.Connection)),
		grpc.StaticStreamWindowSize(flowWindow),
		// The connection window bounds the data of first calls, which connlimit's bound on them allows for. It bounds
		// nothing once a call is admitted, since grpc-go gives the window back before a call has read its data.
		grpc.StaticConnWindowSize(flowWindow),
		grpc.ReadBufferSize(4<<10), // each connection has one
		grpc.KeepaliveParams(keepalive.ServerParameters{
			MaxConnectionIdle: 5 * time.Minute, // a caller may have nothing to change for as long
			// Clients are asked to reconnect, so that new gateways get calls; their calls end within the grace. Streams end
			// with their connection, and so do responses that a client never reads.
			MaxConnectionAge:      cfg.MaxConnectionAge,
			MaxConnectionAgeGrace: 2 * time.Minute,
			Time:                  2 * time.Minute, // detects clients that vanished silently or read nothing
			Timeout:               20 * time.Second,
		}),
		grpc.ConnectionTimeout(10*time.Second),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: minPingInterval, PermitWithoutStream: true}),
	)
	customerv1.RegisterCustomerServiceServer(interceptor.DecodeInHandler(server), cfg.Customers)
	healthv1.RegisterHealthServer(server, ready)
	reflection.Register(server) // v1 and v1alpha
	return server
}

// unknownMethod rejects a call of a method that is not served, and names those that are.
func unknownMethod(rejections *interceptor.RejectionLog) grpc.StreamHandler {
	served := customerv1.CustomerService_ServiceDesc
	names := make([]string, len(served.Methods))
	for i, method := range served.Methods {
		names[i] = "/" + served.ServiceName + "/" + method.MethodName
	}
	rejection := apierror.New(apierror.MethodNotAllowed, apierror.NotSent, "no such method; there are "+strings.Join(names, " and "))
	return func(_ any, stream grpc.ServerStream) error {
		rejections.Call(stream.Context(), rejection)
		return rejection
	}
}
