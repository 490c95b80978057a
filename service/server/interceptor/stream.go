package interceptor

import (
	"fmt"
	"io"
	"sync"

	"google.golang.org/grpc"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server/connlimit"
)

// limitedStreamsOfConnection bounds the streams of each connection.
func limitedStreamsOfConnection() grpc.StreamServerInterceptor {
	tooMany := apierror.New(apierror.TooManyStreams, apierror.NotSent,
		fmt.Sprintf("this connection has %d streams of health checks and reflection open; end one first", connlimit.MaxStreams))
	return func(service any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
		if conn := connlimit.Of(stream.Context()); conn != nil {
			defer conn.EndStream()
			if !conn.BeginStream() {
				return tooMany
			}
		}
		return handler(service, stream)
	}
}

// endedOnStop ends streams once the gateway stops. They would otherwise last as long as their clients want, and keep
// GracefulStop waiting until the calls in flight are cut off.
func endedOnStop(stopping <-chan struct{}) grpc.StreamServerInterceptor {
	stopped := apierror.New(apierror.Stopping, apierror.NotSent, "the gateway is stopping; open the stream on another connection")
	return func(service any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
		ended := make(chan error, 1)
		s := &endableStream{ServerStream: stream}
		go func() { ended <- handler(service, s) }() // it ends with the stream's context, when this function returns
		select {
		case err := <-ended:
			return err
		case <-stopping:
			if info.FullMethod == healthv1.Health_Watch_FullMethodName {
				s.sendLast(&healthv1.HealthCheckResponse{Status: healthv1.HealthCheckResponse_NOT_SERVING})
			}
			return stopped
		}
	}
}

// endableStream allows to send a last message while the handler may be sending too.
type endableStream struct {
	grpc.ServerStream

	mu    sync.Mutex
	last  healthv1.HealthCheckResponse_ServingStatus
	ended bool
}

// SendMsg sends a message of the handler, unless the last message was sent.
func (s *endableStream) SendMsg(message any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return io.EOF
	}
	if health, ok := message.(*healthv1.HealthCheckResponse); ok {
		s.last = health.GetStatus()
	}
	return s.ServerStream.SendMsg(message)
}

// sendLast sends a watcher the last health status, unless it has it. The wait for the handler's SendMsg is short: gRPC
// queues 64 KiB for a stream, and the changes of health fill less than half of it until the connection reaches its
// maximum age.
func (s *endableStream) sendLast(health *healthv1.HealthCheckResponse) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	if s.last != health.GetStatus() {
		_ = s.ServerStream.SendMsg(health) // it fails for a watcher that is gone
	}
}
