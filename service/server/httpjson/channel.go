package httpjson

import (
	"context"
	"maps"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// channel is a grpc.ClientConnInterface that calls registered services in process, through an interceptor, as a
// server would. So the gateway runs the same chain as the gRPC server, without a second hop over HTTP/2. A channel
// carries unary calls, metadata in both directions, and statuses.
type channel struct {
	interceptor grpc.UnaryServerInterceptor
	methods     map[string]boundMethod
}

type boundMethod struct {
	service any
	handler grpc.MethodHandler
}

var (
	_ grpc.ClientConnInterface = (*channel)(nil)
	_ grpc.ServiceRegistrar    = (*channel)(nil)
)

func newChannel(interceptor grpc.UnaryServerInterceptor) *channel {
	return &channel{interceptor: interceptor, methods: map[string]boundMethod{}}
}

// RegisterService is called by the generated code before the first call.
func (c *channel) RegisterService(description *grpc.ServiceDesc, service any) {
	for _, method := range description.Methods {
		c.methods["/"+description.ServiceName+"/"+method.MethodName] = boundMethod{service, method.Handler}
	}
}

// Invoke runs a call to its end. The two sides share the contents of the request and the response: the generated code,
// which is the caller, does not use its request any more, and the service keeps nothing of its response.
func (c *channel) Invoke(ctx context.Context, name string, request, reply any, options ...grpc.CallOption) error {
	method, ok := c.methods[name]
	if !ok {
		return status.Errorf(codes.Unimplemented, "unknown method %s", name)
	}
	stream := &unaryStream{method: name}
	ctx = grpc.NewContextWithServerTransportStream(ctx, stream)
	response, err := method.handler(method.service, ctx, func(in any) error { return shareMessage(in, request) }, c.interceptor)
	stream.deliver(options)
	if err != nil {
		return status.Convert(err).Err()
	}
	return shareMessage(reply, response)
}

// NewStream is not supported: the gateway has no streaming calls.
func (c *channel) NewStream(context.Context, *grpc.StreamDesc, string, ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, status.Error(codes.Unimplemented, "streams are not served in process")
}

// shareMessage sets the fields of one message in another, without a copy of what they point to.
func shareMessage(to, from any) error {
	target, ok := to.(proto.Message)
	source, alsoOK := from.(proto.Message)
	if !ok || !alsoOK {
		return status.Errorf(codes.Internal, "not a protobuf message: %T, %T", to, from)
	}
	into := target.ProtoReflect()
	source.ProtoReflect().Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		into.Set(field, value)
		return true
	})
	into.SetUnknown(source.ProtoReflect().GetUnknown())
	return nil
}

// unaryStream collects the header and the trailer of a call.
type unaryStream struct {
	method string

	mu              sync.Mutex
	header, trailer metadata.MD
}

func (s *unaryStream) Method() string { return s.method }

func (s *unaryStream) SetHeader(md metadata.MD) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.header = metadata.Join(s.header, md)
	return nil
}

func (s *unaryStream) SendHeader(md metadata.MD) error { return s.SetHeader(md) }

func (s *unaryStream) SetTrailer(md metadata.MD) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trailer = metadata.Join(s.trailer, md)
	return nil
}

// deliver copies the collected metadata to the caller's options.
func (s *unaryStream) deliver(options []grpc.CallOption) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, option := range options {
		switch option := option.(type) {
		case grpc.HeaderCallOption:
			*option.HeaderAddr = maps.Clone(s.header)
		case grpc.TrailerCallOption:
			*option.TrailerAddr = maps.Clone(s.trailer)
		}
	}
}
