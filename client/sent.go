package client

import (
	"context"
	"sync/atomic"

	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"
)

// sending records whether the request of an attempt was given to a connection. Before that no gateway can have acted on it.
type sending struct{ begun atomic.Bool }

type sendingContext struct{}

func watchSending(ctx context.Context) (context.Context, *sending) {
	s := new(sending)
	return context.WithValue(ctx, sendingContext{}, s), s
}

// mark returns the error of the attempt, as an unsentError if the request was not sent.
func (s *sending) mark(err error) error {
	if err == nil || s.begun.Load() {
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

// sendWatcher is a stats.Handler that notes each request that is given to a connection.
type sendWatcher struct{}

// TagRPC returns the context as it is.
func (sendWatcher) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

// HandleRPC notes the sending of a call's message.
func (sendWatcher) HandleRPC(ctx context.Context, event stats.RPCStats) {
	if _, ok := event.(*stats.OutPayload); !ok {
		return
	}
	if s, ok := ctx.Value(sendingContext{}).(*sending); ok {
		s.begun.Store(true)
	}
}

// TagConn returns the context as it is.
func (sendWatcher) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

// HandleConn has nothing to note.
func (sendWatcher) HandleConn(context.Context, stats.ConnStats) {}
