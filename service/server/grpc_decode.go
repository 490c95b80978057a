package server

import (
	"context"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	encodingproto "google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
)

// gRPC decodes a request before the interceptors, and answers at once to what it cannot decode: with a bare INTERNAL
// that no log has, and that leaves open whether anything was written. Here a codec keeps the fault for the handler,
// and the handler takes it through the interceptors to where the service would begin.

// decoded is a request and what is wrong with its bytes.
type decoded struct {
	request any
	fault   error
}

// faultKeeping is gRPC's protobuf codec, which is the only one there is, whatever a content type asks for.
type faultKeeping struct{ encoding.CodecV2 }

func newCodec() encoding.CodecV2 { return faultKeeping{encoding.GetCodecV2(encodingproto.Name)} }

// Unmarshal fails for no request of a service that is registered with decodingInside.
func (c faultKeeping) Unmarshal(content mem.BufferSlice, into any) error {
	if d, ok := into.(*decoded); ok {
		d.fault = c.CodecV2.Unmarshal(content, d.request)
		return nil
	}
	return c.CodecV2.Unmarshal(content, into)
}

// decodingInside registers services whose requests may be such as cannot be decoded. It needs newCodec.
type decodingInside struct{ registrar grpc.ServiceRegistrar }

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
			err := receive(d) // its errors, such as a message over the bound, have been answered
			fault = d.fault
			return err
		}
		return method(service, ctx, decode, func(ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
			if fault != nil {
				handler = func(context.Context, any) (any, error) { return nil, undecodable(request) }
			}
			return interceptor(ctx, request, info, handler)
		})
	}
}

func undecodable(request any) error {
	kind := "message"
	if message, ok := request.(proto.Message); ok {
		kind = string(proto.MessageName(message))
	}
	return invalidField(violation{"request", fmt.Sprintf("cannot be decoded: it must be a %s in protobuf, whose texts are UTF-8", kind)}).Err()
}
