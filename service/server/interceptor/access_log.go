package interceptor

import (
	"context"
	"log/slog"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/redact"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/telemetry"
)

// accessLog writes one line for each call: its outcome and the reason, where its time went, and nothing that it carried. Of
// the calls that are rejected because of overload it writes some lines only.
func accessLog(logger *slog.Logger, rejections *RejectionLog) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		start := time.Now()
		response, err := handler(ctx, request)
		own, _ := err.(*apierror.Error) //nolint:errorlint // the service wraps none
		if own != nil && own.Reason() == apierror.Overloaded {
			rejections.Overload(ctx, own)
			return response, err
		}
		level := levelOf(err)
		if !needsCaller(info.FullMethod) {
			level = slog.LevelDebug // anyone may send health checks, and could fill a disk with lines
		}
		if !logger.Enabled(ctx, level) {
			return response, err
		}
		attributes := make([]slog.Attr, 0, 16)
		attributes = append(attributes,
			slog.String("method", info.FullMethod),
			slog.String("code", codeName(status.Code(err))),
			milliseconds("duration_ms", time.Since(start)),
		)
		attributes = appendPhases(attributes, telemetry.CallOf(ctx))
		if about, ok := request.(interface{ GetCustomerId() int64 }); ok {
			attributes = append(attributes, slog.Int64("customer_id", about.GetCustomerId()))
		}
		if record := telemetry.CallOf(ctx); record != nil && record.UpdateRequestID != "" {
			attributes = append(attributes, slog.String("update_request_id", record.UpdateRequestID))
		}
		attributes = append(attributes, PeerAttr(peerOf(ctx)))
		if message, ok := request.(proto.Message); ok && logger.Enabled(ctx, slog.LevelDebug) {
			attributes = append(attributes, slog.Any("request", redact.Shape(message)))
		}
		if err != nil {
			attributes = appendError(attributes, err)
		} else {
			attributes = appendResult(attributes, telemetry.CallOf(ctx))
		}
		logger.LogAttrs(ctx, level, "call", attributes...)
		return response, err
	}
}

// appendPhases adds where the time went, if it was not short.
func appendPhases(attributes []slog.Attr, record *telemetry.Call) []slog.Attr {
	if record == nil {
		return attributes
	}
	for _, phase := range telemetry.Phases() {
		if spent := record.Spent(phase); spent >= 100*time.Microsecond {
			attributes = append(attributes, milliseconds(phase.String()+"_ms", spent))
		}
	}
	return attributes
}

// writeState is the key that says whether anything was written.
const writeState = "write_state"

// appendResult adds what a call did that succeeded.
func appendResult(attributes []slog.Attr, record *telemetry.Call) []slog.Attr {
	if record == nil || record.Result == "" {
		return attributes
	}
	attributes = append(attributes, slog.String(writeState, string(record.Result)))
	if len(record.Changed) > 0 {
		attributes = append(attributes, slog.Any("changed", record.Changed))
	}
	return attributes
}

// appendError adds why a call failed. The text of a cause is for the log only; the caller gets the status.
func appendError(attributes []slog.Attr, err error) []slog.Attr {
	if info := apierror.InfoOfError(err); info != nil {
		attributes = append(attributes, slog.String("reason", info.GetReason()), slog.String(writeState, string(apierror.StateOf(info))))
	}
	if own, ok := err.(*apierror.Error); ok { //nolint:errorlint // the service wraps none
		if fields := own.Fields(); len(fields) > 0 {
			attributes = append(attributes, slog.Any("fields", fields))
		}
		if own.Limit() != "" {
			attributes = append(attributes, slog.String("limit", string(own.Limit())))
		}
	}
	if own, ok := err.(*apierror.Error); ok && own.Unwrap() == nil { //nolint:errorlint // as above
		return attributes // the reason says it
	}
	return append(attributes, slog.String("error", err.Error()))
}

// milliseconds returns a duration, to the microsecond.
func milliseconds(key string, d time.Duration) slog.Attr {
	return slog.Float64(key, float64(d.Microseconds())/1000)
}

// peerOf returns the address that the request of a call came from. A health check has none in its record.
func peerOf(ctx context.Context) string {
	if c := callOf(ctx); c != nil && c.peer != "" {
		return c.peer
	}
	if origin, ok := peer.FromContext(ctx); ok && origin.Addr != nil {
		return origin.Addr.String()
	}
	return ""
}

// levelOf returns a warning for failures that concern the operator, and not only the caller.
func levelOf(err error) slog.Level {
	if own, ok := err.(*apierror.Error); ok && own.Reason().IsMisconfiguration() { //nolint:errorlint // the service wraps none
		return slog.LevelWarn
	}
	switch status.Code(err) {
	case codes.Internal, codes.Unknown, codes.Unavailable, codes.DeadlineExceeded, codes.DataLoss:
		return slog.LevelWarn
	default:
		return slog.LevelInfo
	}
}
