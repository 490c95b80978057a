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

// fewStreams bounds the streams that are no calls.
func fewStreams() grpc.StreamServerInterceptor {
	tooMany := apierror.New(apierror.TooManyStreams, apierror.NotSent, fmt.Sprintf("this connection has %d streams of health checks and reflection open; end one first", connlimit.MaxStreams))
	return func(service any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
		if c := connlimit.Of(stream.Context()); c != nil {
			defer c.EndStream()
			if !c.BeginStream() {
				return tooMany
			}
		}
		return handler(service, stream)
	}
}

// endingStreams ends the streams that are no calls once the gateway is stopping: they would last for as long as their
// callers like, and the calls in flight would get no quiet end. It must be outside what recovers from panics, since
// the handler has a goroutine of its own.
func endingStreams(stopped <-chan struct{}) grpc.StreamServerInterceptor {
	ending := apierror.New(apierror.Stopping, apierror.NotSent, "the gateway is stopping; open the stream on another connection")
	return func(service any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
		ended := make(chan error, 1)
		s := &endableStream{ServerStream: stream}
		go func() { ended <- handler(service, s) }() // it ends with the stream's context, when this returns
		select {
		case err := <-ended:
			return err
		case <-stopped:
			if info.FullMethod == healthv1.Health_Watch_FullMethodName {
				s.tell(&healthv1.HealthCheckResponse{Status: healthv1.HealthCheckResponse_NOT_SERVING})
			}
			return ending
		}
	}
}

// endableStream lets a last word be sent beside a handler that may be sending too.
type endableStream struct {
	grpc.ServerStream

	mu    sync.Mutex
	last  healthv1.HealthCheckResponse_ServingStatus
	ended bool
}

// SendMsg is called by the handler, which has nothing to say after the last word.
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

// tell sends a watcher how it is, unless it knows. It waits for what the handler is sending, which never lasts: of 64 KiB
// that gRPC queues for a stream, changes of health fill less than half until the connection is too old.
func (s *endableStream) tell(health *healthv1.HealthCheckResponse) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	if s.last != health.GetStatus() {
		_ = s.ServerStream.SendMsg(health) // it fails for who has left
	}
}
