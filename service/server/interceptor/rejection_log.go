package interceptor

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"syscall"

	"golang.org/x/time/rate"
)

// How many lines a second are written of what a door refuses, and how many at once. Nobody has to be known to be refused,
// and who is must not be able to fill a disk.
const (
	refusalsPerSecond = 20
	refusalsAtOnce    = 100
)

// RejectionLog counts, and writes the lines of, connections that are none and requests that are no calls: the calls' own log
// and metrics have none of them.
type RejectionLog struct {
	transport string
	metrics   *Metrics
	logger    *slog.Logger
	limiter   *rate.Limiter
	unlogged  atomic.Int64
}

// NewRejectionLog returns the log of one transport.
func NewRejectionLog(transport string, metrics *Metrics, logger *slog.Logger) *RejectionLog {
	return &RejectionLog{transport: transport, metrics: metrics, logger: logger.With(slog.String("transport", transport)), limiter: rate.NewLimiter(refusalsPerSecond, refusalsAtOnce)}
}

// Request writes the line of a request. The reason is one of the gateway's own words.
func (l *RejectionLog) Request(ctx context.Context, id, reason string, attributes ...slog.Attr) {
	l.metrics.refused.WithLabelValues(l.transport, reason).Inc()
	l.write(withCall(ctx, id), "request refused at the door", append(attributes, slog.String("reason", reason)))
}

// Connection writes the line of a connection that came to nothing, as where a certificate is missing. Those who leave
// again without a word are no news.
func (l *RejectionLog) Connection(from net.Addr, err error) {
	if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, os.ErrDeadlineExceeded) {
		return
	}
	l.write(context.Background(), "connection refused at the door", []slog.Attr{From(from.String()), cut(err.Error())})
}

// From is the host of an address, for who looks after those that are refused.
func From(address string) slog.Attr {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = "unknown"
	}
	return slog.String("from", host)
}

// Write takes what net/http says of connections and of itself, a line at a time.
func (l *RejectionLog) Write(line []byte) (int, error) {
	l.write(context.Background(), "the HTTP server says", []slog.Attr{cut(strings.TrimSpace(string(line)))})
	return len(line), nil
}

// maxError is how much of an error is written, in bytes: some repeat what a stranger sent, at any length.
const maxError = 200

// cut is the error, or its beginning.
func cut(text string) slog.Attr {
	if len(text) > maxError {
		text = strings.ToValidUTF8(text[:maxError], "") + "…"
	}
	return slog.String("error", text)
}

// write writes a line, or counts it for the next one. At debug level there is no bound.
func (l *RejectionLog) write(ctx context.Context, message string, attributes []slog.Attr) {
	if !l.logger.Enabled(ctx, slog.LevelDebug) && !l.limiter.Allow() {
		l.unlogged.Add(1)
		return
	}
	if missed := l.unlogged.Swap(0); missed > 0 {
		attributes = append(attributes, slog.Int64("more_before", missed))
	}
	l.logger.LogAttrs(ctx, slog.LevelInfo, message, attributes...)
}
