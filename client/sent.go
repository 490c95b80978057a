package client

import (
	"context"
	"sync/atomic"

	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"
)

// sending records how far the request of an attempt has come. Before it is given to a connection, no gateway can have
// acted on it.
type sending struct{ begun, sent atomic.Bool }

type sendingContext struct{}

func watchSending(ctx context.Context) (context.Context, *sending) {
	s := new(sending)
	return context.WithValue(ctx, sendingContext{}, s), s
}

// mark returns the error of the attempt, as an unsentError if gRPC began the attempt and did not send its request. An
// attempt that was not seen to begin may have been made under another context, by an interceptor behind this package's.
func (s *sending) mark(err error) error {
	if err == nil || s.sent.Load() || !s.begun.Load() {
		return err
	}
	return &unsentError{err}
}

// unsentError is the error of a call whose request has not left this process.
type unsentError struct{ err error }

func (e *unsentError) Error() string { return e.err.Error() }

// Unwrap returns gRPC's own error.
func (e *unsentError) Unwrap() error { return e.err }

// GRPCStatus makes the error a gRPC status, so that status.Code and status.FromError take it as it is.
func (e *unsentError) GRPCStatus() *status.Status { return status.Convert(e.err) }

// sendWatcher is a stats.Handler that notes each attempt that begins, and each request that is given to a connection.
type sendWatcher struct{}

// TagRPC returns the context as it is.
func (sendWatcher) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

// HandleRPC notes the beginning of an attempt and the sending of its message.
func (sendWatcher) HandleRPC(ctx context.Context, event stats.RPCStats) {
	s, ok := ctx.Value(sendingContext{}).(*sending)
	if !ok {
		return
	}
	switch event.(type) {
	case *stats.Begin:
		s.begun.Store(true)
	case *stats.OutPayload:
		s.sent.Store(true)
	}
}

// TagConn returns the context as it is.
func (sendWatcher) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

// HandleConn has nothing to note.
func (sendWatcher) HandleConn(context.Context, stats.ConnStats) {}
