package server

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
)

// The reasons why the transports themselves are not ready.
const (
	notServing = "the gateway does not serve yet"
	stopping   = "the gateway is stopping"
)

// followInterval bounds how much later watchers of gRPC's health learn of a change than clients that ask.
const followInterval = 500 * time.Millisecond

// readiness says whether calls can be served. It is gRPC's health service, which agrees with /readyz.
type readiness struct {
	*health.Server

	own     atomic.Value    // a string: why the transports are not ready, or empty
	service func() []string // why the service is not
	stopped chan struct{}   // closed when streams have to end
	logger  *slog.Logger

	mu     sync.Mutex
	logged []string // the problems that the latest line of the log names
}

func newReadiness(service func() []string, logger *slog.Logger) *readiness {
	if service == nil {
		service = func() []string { return nil }
	}
	r := &readiness{Server: health.NewServer(), service: service, stopped: make(chan struct{}), logger: logger, logged: []string{notServing}}
	r.own.Store(notServing)
	r.refresh()
	return r
}

// problems returns the reasons why calls cannot be served, and none if they can.
func (r *readiness) problems() []string {
	if own, _ := r.own.Load().(string); own != "" {
		return append([]string{own}, r.service()...)
	}
	return r.service()
}

// serving makes the transports ready.
func (r *readiness) serving(ctx context.Context) {
	r.own.Store("")
	r.refresh()
	r.log(ctx)
}

// drain makes the gateway not ready for good. Watchers learn it at once, and send their calls elsewhere.
func (r *readiness) drain(ctx context.Context) {
	r.own.Store(stopping)
	r.Shutdown()
	r.log(ctx)
}

// log writes a line if the problems are others than those of the latest line.
func (r *readiness) log(ctx context.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	problems := r.problems()
	switch {
	case slices.Equal(problems, r.logged):
		return
	case len(problems) == 0:
		r.logger.LogAttrs(ctx, slog.LevelInfo, "ready")
	case problems[0] == stopping:
		r.logger.LogAttrs(ctx, slog.LevelInfo, "not ready", slog.Any("reasons", problems))
	default:
		r.logger.LogAttrs(ctx, slog.LevelWarn, "not ready", slog.Any("reasons", problems))
	}
	r.logged = problems
}

// stop ends the streams of watchers.
func (r *readiness) stop() { close(r.stopped) }

// follow updates watchers and the log until ctx is done.
func (r *readiness) follow(ctx context.Context) {
	ticker := time.NewTicker(followInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			r.refresh()
			r.log(ctx)
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

// Check returns the current status, which may be newer than what watchers have.
func (r *readiness) Check(ctx context.Context, request *healthv1.HealthCheckRequest) (*healthv1.HealthCheckResponse, error) {
	r.refresh()
	return r.Server.Check(ctx, request)
}

// List returns the current status of all services.
func (r *readiness) List(ctx context.Context, request *healthv1.HealthListRequest) (*healthv1.HealthListResponse, error) {
	r.refresh()
	return r.Server.List(ctx, request)
}

// Watch starts with the current status.
func (r *readiness) Watch(request *healthv1.HealthCheckRequest, stream grpc.ServerStreamingServer[healthv1.HealthCheckResponse]) error {
	r.refresh()
	return r.Server.Watch(request, stream)
}
