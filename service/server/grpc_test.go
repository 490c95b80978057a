package server_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	reflectionv1alpha "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/grpc/status"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server/connlimit"
)

// A client may cancel all of 2,048 calls on one connection at once, repeatedly, and keep the connection.
func TestClientMayCancelAllItsCalls(t *testing.T) {
	g := startScripted(t, func(ctx context.Context, _ *customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error) {
		<-ctx.Done()
		return nil, status.FromContextError(ctx.Err()).Err()
	})
	var connections atomic.Int32
	conn, err := grpc.NewClient(g.conn.Target(), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
			connections.Add(1)
			return (&net.Dialer{}).DialContext(ctx, "tcp", address)
		}))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	customers := customerv1.NewCustomerServiceClient(conn)
	for round := range 2 {
		ctx, cancel := context.WithCancel(t.Context())
		var all, begun sync.WaitGroup
		for range 2048 {
			begun.Add(1)
			all.Go(func() {
				begun.Done()
				if _, err := customers.UpdateCustomer(ctx, &customerv1.UpdateCustomerRequest{CustomerId: 1}); status.Code(err) != codes.Canceled {
					t.Errorf("round %d: a cancelled call ends with %v", round, err)
				}
			})
		}
		begun.Wait()
		cancel()
		all.Wait()
	}
	if got := connections.Load(); got != 1 {
		t.Errorf("%d connections, want 1", got)
	}
}

// No compression is supported, so that a short message cannot expand to a long one.
func TestCompressedMessageIsRefused(t *testing.T) {
	g := startScripted(t, func(context.Context, *customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error) {
		return nil, errors.New("it has arrived")
	})
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", g.conn.Target())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	framer := http2.NewFramer(conn, conn)
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	var block headerBlock
	encoder := hpack.NewEncoder(&block)
	for _, field := range [][2]string{
		{":method", "POST"},
		{":scheme", "http"},
		{":path", customerv1.CustomerService_UpdateCustomer_FullMethodName},
		{":authority", "localhost"},
		{"content-type", "application/grpc"},
		{"te", "trailers"},
		{"grpc-encoding", "gzip"},
	} {
		_ = encoder.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]})
	}
	if err := errors.Join(
		framer.WriteSettings(),
		framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block, EndHeaders: true}),
		framer.WriteData(1, true, []byte{1, 0, 0, 0, 0}),
	); err != nil {
		t.Fatal(err)
	}
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		headers, ok := frame.(*http2.MetaHeadersFrame)
		if !ok || !headers.StreamEnded() {
			continue
		}
		for _, field := range headers.Fields {
			if field.Name == "grpc-status" {
				if field.Value != "12" {
					t.Errorf("grpc-status is %s, want 12 (UNIMPLEMENTED)", field.Value)
				}
				return
			}
		}
		t.Fatal("the response has no grpc-status")
	}
}

// headerBlock is the output of an encoder.
type headerBlock []byte

func (b *headerBlock) Write(p []byte) (int, error) {
	*b = append(*b, p...)
	return len(p), nil
}

func TestReflectionIsServedInBothVersions(t *testing.T) {
	g := start(t, options{})
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	stream, err := reflectionv1.NewServerReflectionClient(g.conn).ServerReflectionInfo(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Send(&reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{}}); err != nil {
		t.Fatal(err)
	}
	response, err := stream.Recv()
	if err != nil || !strings.Contains(response.String(), "fluentcart.customer.v1.CustomerService") {
		t.Errorf("v1: %v, %v", response, err)
	}
	alpha, err := reflectionv1alpha.NewServerReflectionClient(g.conn).ServerReflectionInfo(ctx)
	if err != nil {
		t.Fatal(err)
	}
	request := &reflectionv1alpha.ServerReflectionRequest{ //nolint:staticcheck // deprecated, and all that older grpcurls speak
		MessageRequest: &reflectionv1alpha.ServerReflectionRequest_ListServices{},
	}
	if err := alpha.Send(request); err != nil {
		t.Fatal(err)
	}
	alphaResponse, err := alpha.Recv()
	if err != nil || !strings.Contains(alphaResponse.String(), "fluentcart.customer.v1.CustomerService") {
		t.Errorf("v1alpha: %v, %v", alphaResponse, err)
	}
}

func TestMessageOverTheBoundIsRefused(t *testing.T) {
	g := start(t, options{})
	notes := strings.Repeat("x", 1<<20)
	_, err := g.grpc.UpdateCustomer(t.Context(), &customerv1.UpdateCustomerRequest{CustomerId: 1, Customer: &customerv1.Customer{Notes: &notes}}, grpc.MaxCallSendMsgSize(2<<20))
	if status.Code(err) != codes.ResourceExhausted {
		t.Errorf("got %v", err)
	}
	if sent := g.toStore.take(); len(sent) > 0 {
		t.Errorf("%d requests reached the store", len(sent))
	}
}

func TestStreamsOfAConnectionAreBounded(t *testing.T) {
	g := startScripted(t, func(context.Context, *customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error) {
		return &customerv1.UpdateCustomerResponse{}, nil
	})
	watch := func(ctx context.Context) error {
		stream, err := healthv1.NewHealthClient(g.conn).Watch(ctx, &healthv1.HealthCheckRequest{})
		if err == nil {
			_, err = stream.Recv()
		}
		return err
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for i := range connlimit.MaxStreams {
		if err := watch(ctx); err != nil {
			t.Fatalf("stream %d: %v", i, err)
		}
	}
	err := watch(t.Context())
	if got := errorOutcome(t, status.Convert(err)); got.Code != "RESOURCE_EXHAUSTED" || got.Reason != "TOO_MANY_STREAMS" {
		t.Errorf("one more ends with: %v", err)
	}
	if _, err := g.grpc.UpdateCustomer(t.Context(), &customerv1.UpdateCustomerRequest{CustomerId: 1}); err != nil {
		t.Errorf("a call beside them: %v", err)
	}
	cancel()
	for err = watch(t.Context()); status.Code(err) == codes.ResourceExhausted; err = watch(t.Context()) { // until the gateway has seen that they ended
	}
	if err != nil {
		t.Errorf("after they have ended: %v", err)
	}
}
