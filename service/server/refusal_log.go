package server

import (
	"context"
	"log/slog"
	"sync/atomic"

	"golang.org/x/time/rate"
)

// How many lines a second are written of what a door refuses, and how many at once. Nobody has to be known to be refused,
// and who is must not be able to fill a disk.
const (
	refusalsPerSecond = 20
	refusalsAtOnce    = 100
)

// refusalLog writes the lines of requests that are no calls, and for which the calls' own log has none.
type refusalLog struct {
	logger   *slog.Logger
	limiter  *rate.Limiter
	unlogged atomic.Int64
}

func newRefusalLog(logger *slog.Logger) *refusalLog {
	return &refusalLog{logger: logger, limiter: rate.NewLimiter(refusalsPerSecond, refusalsAtOnce)}
}

// write writes a line, or counts it for the next one. At debug level there is no bound.
func (l *refusalLog) write(ctx context.Context, attributes ...slog.Attr) {
	if !l.logger.Enabled(ctx, slog.LevelDebug) && !l.limiter.Allow() {
		l.unlogged.Add(1)
		return
	}
	if missed := l.unlogged.Swap(0); missed > 0 {
		attributes = append(attributes, slog.Int64("more_before", missed))
	}
	l.logger.LogAttrs(ctx, slog.LevelInfo, "request refused at the door", attributes...)
}
