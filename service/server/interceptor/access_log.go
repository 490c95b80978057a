package interceptor

import (
	"context"
	"log/slog"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/redact"
)

// accessLog writes one line for each call: its outcome and the reason, and nothing that it carried. Of the calls that are
// rejected because of overload it writes some lines only.
func accessLog(logger *slog.Logger, rejections *RejectionLog) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		start := time.Now()
		response, err := handler(ctx, request)
		if rejection, ok := err.(*apierror.Error); ok && rejection.Reason() == apierror.Overloaded { //nolint:errorlint // the service wraps none
			rejections.Overload(ctx, rejection)
			return response, err
		}
		attributes := []slog.Attr{
			slog.String("method", info.FullMethod),
			slog.String("code", status.Code(err).String()),
			slog.Duration("took", time.Since(start)),
		}
		if about, ok := request.(interface{ GetCustomerId() int64 }); ok {
			attributes = append(attributes, slog.Int64("customer_id", about.GetCustomerId()))
		}
		if message, ok := request.(proto.Message); ok && logger.Enabled(ctx, slog.LevelDebug) {
			attributes = append(attributes, slog.Any("request", redact.Shape(message)))
		}
		if err != nil {
			if info := apierror.InfoOfError(err); info != nil {
				attributes = append(attributes, slog.String("reason", info.GetReason()), slog.String("write_state", string(apierror.StateOf(info))))
			}
			attributes = append(attributes, slog.String("error", err.Error())) // for the log only; the caller gets the status
		}
		level := levelOf(status.Code(err))
		if !needsCaller(info.FullMethod) {
			level = slog.LevelDebug // anyone may send health checks, and could fill a disk with lines
		}
		logger.LogAttrs(ctx, level, "call", attributes...)
		return response, err
	}
}

// levelOf returns a warning for codes that concern the operator, and not only the caller.
func levelOf(code codes.Code) slog.Level {
	switch code {
	case codes.Internal, codes.Unknown, codes.Unavailable, codes.DeadlineExceeded, codes.DataLoss:
		return slog.LevelWarn
	default:
		return slog.LevelInfo
	}
}
