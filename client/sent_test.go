package client_test

import (
	"context"
	"net"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/fluentcart-gateway/fluentcart-gateway/client"
	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
)

// A request that the gateway's server would not read is refused before it is sent: its error would not say so.
func TestTooLargeRequestIsNotSent(t *testing.T) {
	_, err := connect().UpdateCustomer(t.Context(), &customerv1.UpdateCustomerRequest{CustomerId: 1, Etag: string(make([]byte, 200<<10))})
	if client.Outcome(err) != client.NotWritten {
		t.Errorf("%v, outcome %v", err, client.Outcome(err))
	}
}

// An interceptor that a caller adds may make the call under another context, where the sending is not seen.
func TestOutcomeIsUnknownBehindAnInterceptorWithAContextOfItsOwn(t *testing.T) {
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	register(server, &heard{}) // it answers updates with UNIMPLEMENTED, without details
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	detached := func(_ context.Context, method string, request, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
		return invoke(context.Background(), method, request, reply, cc, options...)
	}
	conn, err := grpc.NewClient(listener.Addr().String(), append(client.DialOptions(),
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithChainUnaryInterceptor(detached))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_, err = customerv1.NewCustomerServiceClient(conn).UpdateCustomer(t.Context(), &customerv1.UpdateCustomerRequest{CustomerId: 1})
	if status.Code(err) != codes.Unimplemented || client.Outcome(err) != client.Unknown {
		t.Errorf("%v, outcome %v", err, client.Outcome(err))
	}
}
