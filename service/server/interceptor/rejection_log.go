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
	"time"

	"golang.org/x/time/rate"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
)

// The number of log lines for rejections of a transport. Anyone can be rejected without credentials, and must not be
// able to fill a disk.
const (
	rejectionsPerSecond = 20
	rejectionsAtOnce    = 100
)

// RejectionLog logs rejected connections, and logs and counts requests that were rejected before they became calls. The
// access log and the metrics of calls have neither.
type RejectionLog struct {
	transport string
	metrics   *Metrics
	logger    *slog.Logger
	limiter   *rate.Limiter
	unlogged  atomic.Int64

	overloads    atomic.Int64 // rejections because of overload since the latest line about them
	nextOverload atomic.Int64 // when the next line about them may be written, in nanoseconds since 1970
}

// NewRejectionLog returns the log of one transport.
func NewRejectionLog(transport string, metrics *Metrics, logger *slog.Logger) *RejectionLog {
	return &RejectionLog{
		transport: transport, metrics: metrics, logger: logger.With(slog.String("transport", transport)),
		limiter: rate.NewLimiter(rejectionsPerSecond, rejectionsAtOnce),
	}
}

// Request counts and logs a rejected request.
func (l *RejectionLog) Request(ctx context.Context, id string, rejection *apierror.Error, attributes ...slog.Attr) {
	reason := rejection.Info().GetReason()
	l.metrics.rejected.WithLabelValues(l.transport, reason).Inc()
	l.write(withCall(ctx, &call{id: id}), "request rejected", append(attributes, slog.String("reason", reason)))
}

// overloadInterval is the shortest time between two lines about rejections because of overload.
const overloadInterval = time.Second

// Overload logs the rejections of calls because of overload: the first, and then one line a second with their number. A
// line for each would make an overload worse.
func (l *RejectionLog) Overload(ctx context.Context, rejection *apierror.Error) {
	l.overloads.Add(1)
	now, next := time.Now(), l.nextOverload.Load()
	if now.UnixNano() < next || !l.nextOverload.CompareAndSwap(next, now.Add(overloadInterval).UnixNano()) {
		return
	}
	l.logger.LogAttrs(ctx, slog.LevelWarn, "overloaded; calls are rejected",
		slog.String("reason", string(rejection.Reason())), slog.String("error", rejection.Message()), slog.Int64("rejected", l.overloads.Swap(0)))
}

// Connection logs a connection that failed, for example in its TLS handshake. A client that merely leaves is not logged.
func (l *RejectionLog) Connection(from net.Addr, err error) {
	if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, os.ErrDeadlineExceeded) {
		return
	}
	l.write(context.Background(), "connection rejected", []slog.Attr{HostAttr(from.String()), truncated(err.Error())})
}

// HostAttr returns the host of an address, by which an operator can find the client of a rejection.
func HostAttr(address string) slog.Attr {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = "unknown"
	}
	return slog.String("from", host)
}

// Write logs a line of net/http about connections or about itself.
func (l *RejectionLog) Write(line []byte) (int, error) {
	l.write(context.Background(), "message of the HTTP server", []slog.Attr{truncated(strings.TrimSpace(string(line)))})
	return len(line), nil
}

// maxError is the length of a logged error in bytes. Some errors repeat what a client sent, at any length.
const maxError = 200

func truncated(text string) slog.Attr {
	if len(text) > maxError {
		text = strings.ToValidUTF8(text[:maxError], "") + "…"
	}
	return slog.String("error", text)
}

// write writes a line, or counts it for the next line if there are too many. At debug level there is no limit.
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
