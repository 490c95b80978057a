package interceptor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	encodingproto "google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server/connlimit"
)

// gRPC decodes a request before the interceptors run. For one that it cannot decode it sends a bare INTERNAL, which is
// in no log and does not say whether anything was written. Here the codec stores the fault, and the handler takes it
// through the interceptors.

// decoded is a request and its fault.
type decoded struct {
	request any
	fault   error
}

// faultCodec is gRPC's protobuf codec, the only one that is served, whatever the content type says.
type faultCodec struct{ encoding.CodecV2 }

// NewCodec returns the codec that DecodeInHandler needs.
func NewCodec() encoding.CodecV2 { return faultCodec{encoding.GetCodecV2(encodingproto.Name)} }

// Unmarshal never fails for a request of a service registered with DecodeInHandler.
func (c faultCodec) Unmarshal(content mem.BufferSlice, into any) error {
	if d, ok := into.(*decoded); ok {
		if c.CodecV2.Unmarshal(content, d.request) != nil {
			d.fault = undecodable(d.request)
		}
		return nil
	}
	return c.CodecV2.Unmarshal(content, into)
}

// DecodeInHandler registers services so that faults of decoding pass the interceptors. It needs the codec of NewCodec.
func DecodeInHandler(registrar grpc.ServiceRegistrar) grpc.ServiceRegistrar {
	return decodingRegistrar{registrar}
}

type decodingRegistrar struct{ registrar grpc.ServiceRegistrar }

// RegisterService registers a copy of the description.
func (d decodingRegistrar) RegisterService(description *grpc.ServiceDesc, service any) {
	wrapped := *description
	wrapped.Methods = make([]grpc.MethodDesc, len(description.Methods))
	for i, method := range description.Methods {
		wrapped.Methods[i] = grpc.MethodDesc{MethodName: method.MethodName, Handler: decodeInHandler(method.Handler)}
	}
	d.registrar.RegisterService(&wrapped, service)
}

func decodeInHandler(method grpc.MethodHandler) grpc.MethodHandler {
	return func(service any, ctx context.Context, receive func(any) error, interceptor grpc.UnaryServerInterceptor) (any, error) {
		var fault error
		decode := func(request any) error {
			d := &decoded{request: request}
			err := d.receive(connlimit.RequestTimeout, func() { endStream(ctx) }, receive) // gRPC answers its errors itself, such as a message over the bound
			fault = d.fault
			return err
		}
		return method(service, ctx, decode, func(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
			if fault != nil {
				handler = func(context.Context, any) (any, error) { return nil, fault }
			}
			return interceptor(ctx, request, info, handler)
		})
	}
}

// receive receives the request, and gives up after the limit by ending the call's stream. A client that begins a call and
// never sends its request would otherwise keep the call for ever: the caller's deadline counts only from when the request
// is there.
func (d *decoded) receive(limit time.Duration, giveUp func(), receive func(any) error) error {
	timer := time.AfterFunc(limit, giveUp)
	err := receive(d)
	if timer.Stop() {
		return err
	}
	d.fault = tooSlow()
	return nil
}

// endStream answers a call whose request has not arrived, and ends the wait for it. gRPC would answer the end of the
// context itself, with an error that does not say whether anything was written, so the answer must be sent before.
func endStream(ctx context.Context) {
	stream, ok := grpc.ServerTransportStreamFromContext(ctx).(interface{ WriteStatus(*status.Status) error })
	if ok {
		_ = stream.WriteStatus(tooSlow().GRPCStatus()) // it fails for a client that is gone
	}
	callOf(ctx).cancel()
}

func tooSlow() *apierror.Error {
	return apierror.New(apierror.RequestTooSlow, apierror.NotSent,
		fmt.Sprintf("the request did not arrive within %s; nothing was written", connlimit.RequestTimeout))
}

var errUndecodable = errors.New("the request cannot be decoded")

func undecodable(request any) error {
	kind := "message"
	if message, ok := request.(proto.Message); ok {
		kind = string(proto.MessageName(message))
	}
	return apierror.Invalid(apierror.Violation{
		Field: "request", Description: fmt.Sprintf("cannot be decoded: it must be a %s in protobuf, whose texts are UTF-8", kind),
	}).CausedBy(errUndecodable)
}
