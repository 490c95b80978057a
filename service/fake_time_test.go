package service_test

import (
	"context"
	"testing"
	"time"
)

// advance lets fake time pass.
func advance(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // in a bubble of synctest, where time is fake
}

// The ways in which a caller ends its call early.
const (
	byCancel   = true
	byDeadline = false
)

// contextEnding returns the context of a caller that is gone after the given time: its call is cancelled, or its
// deadline passes.
func contextEnding(t testing.TB, cancels bool, after time.Duration) context.Context {
	t.Helper()
	if !cancels {
		ctx, cancel := context.WithTimeout(t.Context(), after)
		t.Cleanup(cancel)
		return ctx
	}
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	if after <= 0 {
		cancel()
	} else {
		time.AfterFunc(after, cancel)
	}
	return ctx
}
