package interceptor

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	encodingproto "google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server/connlimit"
)

// gRPC decodes a request before the interceptors, and answers at once to what it cannot decode: with a bare INTERNAL
// that no log has, and that leaves open whether anything was written. Here a codec keeps the fault for the handler,
// and the handler takes it through the interceptors to where the service would begin.

// decoded is a request and what is wrong with it.
type decoded struct {
	request any

	mu    sync.Mutex
	late  bool // nobody waits for it any more; it is to be left as it is
	fault error
}

// faultKeeping is gRPC's protobuf codec, which is the only one there is, whatever a content type asks for.
type faultKeeping struct{ encoding.CodecV2 }

// NewCodec returns the codec that DecodeInHandler needs.
func NewCodec() encoding.CodecV2 { return faultKeeping{encoding.GetCodecV2(encodingproto.Name)} }

// Unmarshal fails for no request of a service that is registered with decodingInside.
func (c faultKeeping) Unmarshal(content mem.BufferSlice, into any) error {
	if d, ok := into.(*decoded); ok {
		d.mu.Lock()
		defer d.mu.Unlock()
		if !d.late {
			if c.CodecV2.Unmarshal(content, d.request) != nil {
				d.fault = undecodable(d.request)
			}
		}
		return nil
	}
	return c.CodecV2.Unmarshal(content, into)
}

// decodingInside registers services whose requests may be such as cannot be decoded. It needs NewCodec.
type decodingInside struct{ registrar grpc.ServiceRegistrar }

// DecodeInHandler returns the registrar of such services.
func DecodeInHandler(registrar grpc.ServiceRegistrar) grpc.ServiceRegistrar {
	return decodingInside{registrar}
}

// RegisterService registers a copy of the description.
func (d decodingInside) RegisterService(description *grpc.ServiceDesc, service any) {
	wrapped := *description
	wrapped.Methods = make([]grpc.MethodDesc, len(description.Methods))
	for i, method := range description.Methods {
		wrapped.Methods[i] = grpc.MethodDesc{MethodName: method.MethodName, Handler: decodeInside(method.Handler)}
	}
	d.registrar.RegisterService(&wrapped, service)
}

func decodeInside(method grpc.MethodHandler) grpc.MethodHandler {
	return func(service any, ctx context.Context, receive func(any) error, interceptor grpc.UnaryServerInterceptor) (any, error) {
		var fault error
		decode := func(request any) error {
			d := &decoded{request: request}
			err := d.within(connlimit.RequestTimeout, receive) // its errors, such as a message over the bound, have been answered
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

// within receives the request, and gives up when that takes too long. Whoever began a call and never sent its request
// would otherwise keep it for ever: the caller's deadline is counted from when the request is there.
func (d *decoded) within(limit time.Duration, receive func(any) error) error {
	received := make(chan error, 1)
	go func() { received <- receive(d) }() // it ends with the call
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case err := <-received:
		return err
	case <-timer.C:
		d.mu.Lock()
		defer d.mu.Unlock()
		d.late = true
		d.fault = apierror.New(apierror.RequestTooSlow, apierror.NotSent,
			fmt.Sprintf("the request did not arrive within %s; nothing was written", limit))
		return nil
	}
}

func undecodable(request any) error {
	kind := "message"
	if message, ok := request.(proto.Message); ok {
		kind = string(proto.MessageName(message))
	}
	return apierror.Invalid(apierror.Violation{
		Field: "request", Description: fmt.Sprintf("cannot be decoded: it must be a %s in protobuf, whose texts are UTF-8", kind),
	}).CausedBy(errors.New("the request cannot be decoded"))
}
