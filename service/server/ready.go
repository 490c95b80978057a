package server

import (
	"context"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
)

// Why the doors themselves are not ready.
const (
	notOpen  = "the doors are not open yet"
	stopping = "the gateway is stopping"
)

// followInterval is how long those who watch gRPC's health may learn later of a change than those who ask.
const followInterval = 500 * time.Millisecond

// readiness is whether calls can be served. It is gRPC's health service, which says the same as /readyz.
type readiness struct {
	*health.Server

	doors   atomic.Value    // a string: why the doors are not ready, or nothing
	behind  func() []string // why what is behind them is not
	stopped chan struct{}   // closed once the doors are about to close
}

func newReadiness(behind func() []string) *readiness {
	if behind == nil {
		behind = func() []string { return nil }
	}
	r := &readiness{Server: health.NewServer(), behind: behind, stopped: make(chan struct{})}
	r.doors.Store(notOpen)
	r.refresh()
	return r
}

// problems returns why calls cannot be served; none if they can.
func (r *readiness) problems() []string {
	if own, _ := r.doors.Load().(string); own != "" {
		return append([]string{own}, r.behind()...)
	}
	return r.behind()
}

// open says that the doors serve from now on.
func (r *readiness) open() {
	r.doors.Store("")
	r.refresh()
}

// stop says that the doors are about to close. Watchers learn it at once, and send their calls elsewhere.
func (r *readiness) stop() {
	r.doors.Store(stopping)
	r.Shutdown()
	close(r.stopped)
}

// follow keeps those who watch up to date until ctx is done.
func (r *readiness) follow(ctx context.Context) {
	ticker := time.NewTicker(followInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			r.refresh()
		}
	}
}

func (r *readiness) refresh() {
	now := healthv1.HealthCheckResponse_SERVING
	if len(r.problems()) > 0 {
		now = healthv1.HealthCheckResponse_NOT_SERVING
	}
	for _, service := range []string{"", customerv1.CustomerService_ServiceDesc.ServiceName} {
		r.SetServingStatus(service, now)
	}
}

// Check answers as it is now, and not as it was when the watchers were told last.
func (r *readiness) Check(ctx context.Context, request *healthv1.HealthCheckRequest) (*healthv1.HealthCheckResponse, error) {
	r.refresh()
	return r.Server.Check(ctx, request)
}

// List answers as Check does.
func (r *readiness) List(ctx context.Context, request *healthv1.HealthListRequest) (*healthv1.HealthListResponse, error) {
	r.refresh()
	return r.Server.List(ctx, request)
}

// Watch begins with how it is now.
func (r *readiness) Watch(request *healthv1.HealthCheckRequest, stream grpc.ServerStreamingServer[healthv1.HealthCheckResponse]) error {
	r.refresh()
	return r.Server.Watch(request, stream)
}
