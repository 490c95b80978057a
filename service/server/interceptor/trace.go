package interceptor

import (
	"context"
	"net"
	"strings"

	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/tracing"
)

// traced starts the spans of a call: that of the gRPC server, which the HTTP/JSON gateway has for itself, and below it that of
// the method. A nil tracer traces nothing. Health checks are not traced: they have no caller, and come every second.
func traced(tracer trace.Tracer, transport string) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
		if tracer == nil || !needsCaller(info.FullMethod) {
			return handler(ctx, request)
		}
		var server trace.Span
		if transport == GRPC {
			ctx, server = startServerSpan(ctx, tracer, info.FullMethod)
		}
		within, span := tracing.Start(ctx, info.FullMethod[strings.LastIndexByte(info.FullMethod, '/')+1:])
		response, err := handler(within, request)
		if span.SpanContext().IsSampled() {
			endCallSpan(span, request, response, err)
		}
		if server != nil {
			endServerSpan(server, err)
		}
		return response, err
	}
}

// startServerSpan starts the span of a call on the gRPC server. A call that is not sampled gets no attributes, which would cost
// more than the rest.
func startServerSpan(ctx context.Context, tracer trace.Tracer, method string) (context.Context, trace.Span) {
	name := strings.TrimPrefix(method, "/")
	ctx, span := tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindServer))
	if span.IsRecording() {
		span.SetAttributes(semconv.RPCSystemNameGRPC, semconv.RPCMethod(name))
		if from, ok := peer.FromContext(ctx); ok && from.Addr != nil {
			if host, _, err := net.SplitHostPort(from.Addr.String()); err == nil {
				span.SetAttributes(semconv.ClientAddress(host))
			}
		}
	}
	return ctx, span
}

// endServerSpan ends the span of a call on the gRPC server. It is an error only for the codes that are the server's fault.
func endServerSpan(span trace.Span, err error) {
	if span.IsRecording() {
		code := status.Code(err)
		span.SetAttributes(semconv.RPCResponseStatusCode(codeName(code)))
		if isServerFault(code) {
			tracing.Fail(span, codeName(code))
		}
	}
	span.End()
}

// endCallSpan ends the span of a method. It names what the error table and the contract define, and nothing that the call
// carried.
func endCallSpan(span trace.Span, request, response any, err error) {
	if about, ok := request.(interface{ GetCustomerId() int64 }); ok {
		span.SetAttributes(tracing.CustomerID.Int64(about.GetCustomerId()))
	}
	if err != nil {
		SetRejection(span, err)
		if code := status.Code(err); isServerFault(code) {
			tracing.Fail(span, codeName(code))
		}
	} else if update, ok := response.(interface{ GetChangedFields() []string }); ok {
		span.SetAttributes(tracing.ChangedFields.StringSlice(update.GetChangedFields()))
	}
	span.End()
}

// SetRejection says on a span why a call was not served.
func SetRejection(span trace.Span, err error) {
	info := apierror.InfoOfError(err)
	if info == nil || !span.IsRecording() {
		return
	}
	span.SetAttributes(tracing.Reason.String(info.GetReason()), tracing.WriteState.String(string(apierror.StateOf(info))))
}

// isServerFault reports whether a code is an error of the server, as the semantic conventions list them.
func isServerFault(code codes.Code) bool {
	switch code {
	case codes.Unknown, codes.DeadlineExceeded, codes.Unimplemented, codes.Internal, codes.Unavailable, codes.DataLoss:
		return true
	default:
		return false
	}
}
