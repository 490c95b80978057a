package interceptor

import (
	"cmp"
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

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server/connlimit"
)

// The number of log lines for rejections of a transport. Anyone can be rejected without credentials, and must not be
// able to fill a disk.
const (
	rejectionsPerSecond = 20
	rejectionsAtOnce    = 100
)

// sampledPerSecond is the number of log lines for each of the kinds that come by the hundred and have a metric: evicted
// connections, and calls rejected because of each limit.
const sampledPerSecond = 1

// RejectionLog logs rejected connections, and logs and counts requests that were rejected before they became calls. The
// access log and the metrics of calls have neither.
type RejectionLog struct {
	transport string
	metrics   *Metrics
	logger    *slog.Logger
	requests  sampling // and connections that failed
	evictions sampling
	overloads map[apierror.Limit]*sampling // a limit that rejects few calls is seen beside one that rejects many
}

// sampling limits the lines of one kind, and counts those that are not written.
type sampling struct {
	limiter  *rate.Limiter
	unlogged atomic.Int64
}

// NewRejectionLog returns the log of one transport.
func NewRejectionLog(transport string, metrics *Metrics, logger *slog.Logger) *RejectionLog {
	for _, reason := range connlimit.Reasons() { // so that the first eviction is an increase from 0
		metrics.evicted.WithLabelValues(transport, string(reason))
	}
	overloads := map[apierror.Limit]*sampling{}
	for _, limit := range append(apierror.Limits(), "") { // none: no rejection is without, but a line must not depend on it
		overloads[limit] = &sampling{limiter: rate.NewLimiter(sampledPerSecond, 1)}
	}
	return &RejectionLog{
		transport: transport, metrics: metrics, logger: logger.With(slog.String("transport", transport)),
		requests:  sampling{limiter: rate.NewLimiter(rejectionsPerSecond, rejectionsAtOnce)},
		evictions: sampling{limiter: rate.NewLimiter(sampledPerSecond, 1)},
		overloads: overloads,
	}
}

// Request counts and logs a rejected request.
func (l *RejectionLog) Request(ctx context.Context, id string, rejection *apierror.Error, attributes ...slog.Attr) {
	reason := rejection.Info().GetReason()
	l.metrics.rejected.WithLabelValues(l.transport, reason).Inc()
	attributes = append(attributes, slog.String("reason", reason))
	if fields := rejection.Fields(); len(fields) > 0 {
		attributes = append(attributes, slog.Any("fields", fields))
	}
	l.write(withCall(ctx, &call{id: id}), &l.requests, "request rejected", attributes)
}

// Call is Request for a request over gRPC whose caller is authenticated.
func (l *RejectionLog) Call(ctx context.Context, rejection *apierror.Error) {
	c := callOf(ctx)
	l.Request(ctx, c.id, rejection, slog.String("code", codeName(rejection.GRPCStatus().Code())), PeerAttr(c.peer))
}

// Overload logs the rejections of calls because of overload: for each limit the first, and then one line a second with
// their number. A line for each call would make an overload worse.
func (l *RejectionLog) Overload(ctx context.Context, rejection *apierror.Error) {
	l.write(ctx, l.overloads[rejection.Limit()], "overloaded, calls are rejected", []slog.Attr{
		slog.String("reason", string(rejection.Reason())), slog.String("limit", string(rejection.Limit())), slog.String("error", rejection.Message()),
	})
}

// Connection logs a connection that failed, for example in its TLS handshake. A client that merely leaves is not logged.
func (l *RejectionLog) Connection(from net.Addr, err error) {
	if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, os.ErrDeadlineExceeded) {
		return
	}
	l.write(context.Background(), &l.requests, "connection rejected", []slog.Attr{PeerAttr(from.String()), truncated(err.Error())})
}

// Evicted counts and logs a connection that was closed to keep the bounds on connections.
func (l *RejectionLog) Evicted(reason connlimit.Reason, from net.Addr) {
	l.metrics.evicted.WithLabelValues(l.transport, string(reason)).Inc()
	l.write(context.Background(), &l.evictions, "connection evicted", []slog.Attr{slog.String("reason", string(reason)), PeerAttr(from.String())})
}

// PeerAttr returns the address of a client, by which an operator can find it.
func PeerAttr(address string) slog.Attr { return slog.String("peer", cmp.Or(address, "unknown")) }

// Write logs a line of net/http about connections or about itself.
func (l *RejectionLog) Write(line []byte) (int, error) {
	l.write(context.Background(), &l.requests, "message of the HTTP server", []slog.Attr{truncated(strings.TrimSpace(string(line)))})
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
func (l *RejectionLog) write(ctx context.Context, of *sampling, message string, attributes []slog.Attr) {
	if !l.logger.Enabled(ctx, slog.LevelDebug) && !of.limiter.Allow() {
		of.unlogged.Add(1)
		return
	}
	if missed := of.unlogged.Swap(0); missed > 0 {
		attributes = append(attributes, slog.Int64("more_before", missed))
	}
	l.logger.LogAttrs(ctx, slog.LevelInfo, message, attributes...)
}
