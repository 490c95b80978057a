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

// gRPC decodes a request before the interceptors run. For one that it cannot decode it sends a bare INTERNAL, which is
// in no log and does not say whether anything was written. Here the codec stores the fault, and the handler takes it
// through the interceptors.

// decoded is a request and its fault.
type decoded struct {
	request any

	mu    sync.Mutex
	late  bool // the call has ended without the request, which must not be written to any more
	fault error
}

// faultCodec is gRPC's protobuf codec, the only one that is served, whatever the content type says.
type faultCodec struct{ encoding.CodecV2 }

// NewCodec returns the codec that DecodeInHandler needs.
func NewCodec() encoding.CodecV2 { return faultCodec{encoding.GetCodecV2(encodingproto.Name)} }

// Unmarshal never fails for a request of a service registered with DecodeInHandler.
func (c faultCodec) Unmarshal(content mem.BufferSlice, into any) error {
	if d, ok := into.(*decoded); ok {
		d.mu.Lock()
		defer d.mu.Unlock()
		if !d.late && c.CodecV2.Unmarshal(content, d.request) != nil {
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
			err := d.within(connlimit.RequestTimeout, receive) // gRPC answers its errors itself, such as a message over the bound
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

// within receives the request, and gives up after the limit. A client that begins a call and never sends its request
// would otherwise keep the call for ever: the caller's deadline counts only from when the request is there.
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
