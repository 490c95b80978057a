package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server/connlimit"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server/interceptor"
)

// Run serves until ctx is done, and for the drain delay after that; it then lets the calls in flight end, and returns when
// everything has stopped. It closes the listeners. Its error names the transport that failed; a stop because of ctx is not an error.
func (s *Server) Run(ctx context.Context, grpcListener, httpListener net.Listener) error {
	grpcListener = connlimit.NewListener(grpcListener, s.grpcRejections.Evicted)
	httpListener = connlimit.NewListener(httpListener, s.httpRejections.Evicted)
	if s.tls != nil { // the gRPC server makes its handshakes itself
		httpListener = tls.NewListener(httpListener, offering(protocolHTTP, s.tls))
	}
	s.grpc = s.newGRPC("this is the port of the gRPC server; " + servedAt("HTTP/JSON", httpListener, "--http-addr"))
	s.http.Handler = refusingHTTP2(s.http.Handler, s.refusal(servedAt("gRPC", grpcListener, "--grpc-addr")))
	following, stopFollowing := context.WithCancel(ctx)
	var follower sync.WaitGroup
	follower.Go(func() { s.ready.follow(following) })
	defer follower.Wait()
	defer stopFollowing()
	s.ready.serving(ctx)

	failed := make(chan error, 2)
	go func() { failed <- serveError("gRPC server", s.grpc.Serve(grpcListener)) }()
	go func() { failed <- serveError("HTTP/JSON gateway", s.http.Serve(httpListener)) }()

	var err error
	waiting := 2
	select {
	case <-ctx.Done():
	case err = <-failed:
		waiting--
	}
	after := context.WithoutCancel(ctx)
	s.logger.LogAttrs(after, slog.LevelInfo, "stopping; calls in flight may end", slog.Float64("drain_delay_seconds", s.drainDelay.Seconds()), slog.Float64("drain_timeout_seconds", s.drain.Seconds()))
	s.ready.drain(after)
	s.draining.Store(true)
	if err == nil && s.drainDelay > 0 {
		select {
		case <-time.After(s.drainDelay):
		case err = <-failed:
			waiting--
		}
	}
	s.stop(after)
	for range waiting {
		err = errors.Join(err, <-failed)
	}
	s.logger.LogAttrs(after, slog.LevelInfo, "stopped")
	return err
}

// refusal returns the error for a client that speaks HTTP/2 to the HTTP/JSON gateway, and logs it.
func (s *Server) refusal(where string) func(*http.Request) *apierror.Error {
	rejection := apierror.New(apierror.NoSuchPath, apierror.NotSent, "this is the port of the HTTP/JSON gateway, which speaks HTTP/1.1; "+where)
	return func(r *http.Request) *apierror.Error {
		s.httpRejections.Request(r.Context(), interceptor.RequestID(nil), rejection,
			slog.String("error", "the client speaks HTTP/2 to the HTTP/JSON gateway"), interceptor.PeerAttr(r.RemoteAddr))
		return rejection
	}
}

// counted lets stop wait for the requests of the HTTP/JSON gateway after their connections are closed. In the drain delay
// each response ends its connection, so that clients open the next one to another gateway.
func (s *Server) counted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.httpCalls.RLock()
		defer s.httpCalls.RUnlock()
		if s.draining.Load() {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

// stop accepts no new calls, and gives those in flight the drain time to get their response.
func (s *Server) stop(ctx context.Context) {
	s.ready.stop()
	ctx, cancel := context.WithTimeout(ctx, s.drain)
	defer cancel()
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		s.grpc.GracefulStop()
	}()
	late := s.http.Shutdown(ctx) != nil
	select {
	case <-stopped:
	case <-ctx.Done():
		late = true
	}
	if late {
		s.logger.LogAttrs(ctx, slog.LevelWarn, "the drain time is over; callers are cut off")
		_ = s.http.Close() // its error is that of a closed listener
		s.grpc.Stop()      // it lets GracefulStop return once the calls have ended
		<-stopped
		s.httpCalls.Lock()
		defer s.httpCalls.Unlock()
	}
	if s.finish != nil {
		s.finish(ctx)
	}
}

func serveError(transport string, err error) error {
	if err == nil || errors.Is(err, http.ErrServerClosed) || errors.Is(err, grpc.ErrServerStopped) {
		return nil
	}
	return fmt.Errorf("%s: %w", transport, err)
}
