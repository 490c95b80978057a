package interceptor

import (
	"context"
	"log/slog"

	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/tap"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
)

// BeforeReading refuses, before a byte of their message is read, those whom the interceptors would. gRPC calls it with a
// lock on the connection held, so it must not take long.
func BeforeReading(callers auth.Authenticator, log *RejectionLog) tap.ServerInHandle {
	return func(ctx context.Context, info *tap.Info) (context.Context, error) {
		if !guarded(info.FullMethodName) {
			return ctx, nil
		}
		if _, err := callers.Authenticate(presentedIn(ctx)); err != nil {
			s := RejectCaller(err)
			attributes := []slog.Attr{slog.String("code", s.GRPCStatus().Code().String())}
			if from, ok := peer.FromContext(ctx); ok {
				attributes = append(attributes, From(from.Addr.String()))
			}
			log.Request(ctx, requestIDOf(ctx), s.Info().GetReason(), attributes...)
			return ctx, s
		}
		return ctx, nil
	}
}
