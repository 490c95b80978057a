package fluentcart

import (
	"context"
	"sync/atomic"
)

// sendGate decides once, between the goroutine that sends a request and the one that gives up waiting for it, whether the
// first byte may leave.
type sendGate struct{ state atomic.Int32 }

// The states of a sendGate. The first change from undecided is final.
const (
	undecided int32 = iota
	opened          // bytes may leave
	closed          // nothing has left, and nothing will
)

// pass calls mayStart, if it is set, and then opens the gate. net/http calls it again if it finds, before it has sent a
// byte, that the store had closed the connection.
func (g *sendGate) pass(ctx context.Context, mayStart func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if mayStart != nil {
		if err := mayStart(); err != nil {
			return &notBegunError{err}
		}
	}
	if !g.open() {
		return &notBegunError{context.Canceled}
	}
	return nil
}

// open lets bytes leave from now on. It returns false if the gate was closed before.
func (g *sendGate) open() bool {
	g.state.CompareAndSwap(undecided, opened)
	return g.state.Load() == opened
}

// close keeps every byte from leaving. It returns false if the gate was opened before.
func (g *sendGate) close() bool {
	g.state.CompareAndSwap(undecided, closed)
	return g.state.Load() == closed
}

// notBegunError is the reason why the gate did not let a request start.
type notBegunError struct{ error }

// Unwrap returns the error of mayStart.
func (e *notBegunError) Unwrap() error { return e.error }
