package client_test

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/fluentcart-gateway/fluentcart-gateway/client"
	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
)

// heard is a server without TLS that tells which credentials it got.
type heard struct {
	customerv1.UnimplementedCustomerServiceServer

	authorization []string
}

func (h *heard) GetCustomer(ctx context.Context, _ *customerv1.GetCustomerRequest) (*customerv1.GetCustomerResponse, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	h.authorization = md.Get("authorization")
	return &customerv1.GetCustomerResponse{}, nil
}

// elsewhere is a connection to this machine whose address looks like that of another one.
type elsewhere struct{ net.Conn }

func (elsewhere) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 9090} }

func TestTokenIsSentInPlainTextToTheSameMachineOnly(t *testing.T) {
	for _, gateway := range []struct {
		name, network, token string
		far                  bool
		want                 string // the header, or a part of the error
		code                 codes.Code
	}{
		{"over loopback", "tcp", "token", false, "Bearer token", codes.OK},
		{"with the line break of its file", "tcp", " token\r\n", false, "Bearer token", codes.OK},
		{"over a Unix socket", "unix", "token", false, "Bearer token", codes.OK},
		{"to another machine", "tcp", "token", true, "the token is not sent without TLS", codes.Unauthenticated},
		{"not at all if it is empty", "tcp", "\n", false, "the token is empty", codes.Unauthenticated},
	} {
		t.Run(gateway.name, func(t *testing.T) {
			at := "127.0.0.1:0"
			if gateway.network == "unix" {
				at = filepath.Join(t.TempDir(), "socket")
			}
			listener, err := (&net.ListenConfig{}).Listen(t.Context(), gateway.network, at)
			if err != nil {
				t.Fatal(err)
			}
			got := &heard{}
			server := grpc.NewServer()
			register(server, got)
			go func() { _ = server.Serve(listener) }()
			t.Cleanup(server.Stop)
			conn, err := grpc.NewClient("passthrough:///gateway", append(client.DialOptions(),
				grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithPerRPCCredentials(client.Token(gateway.token)),
				grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
					conn, err := (&net.Dialer{}).DialContext(ctx, gateway.network, listener.Addr().String())
					if gateway.far && err == nil {
						conn = elsewhere{conn}
					}
					return conn, err
				}))...)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = conn.Close() })
			_, err = customerv1.NewCustomerServiceClient(conn).GetCustomer(t.Context(), &customerv1.GetCustomerRequest{CustomerId: 1})
			if said := strings.Join(got.authorization, ",") + status.Convert(err).Message(); status.Code(err) != gateway.code || !strings.Contains(said, gateway.want) {
				t.Errorf("%v: %q, want %q", status.Code(err), said, gateway.want)
			}
			if err != nil && (client.Outcome(err) != client.NotWritten || got.authorization != nil) {
				t.Errorf("outcome %v, and the server got %q", client.Outcome(err), got.authorization)
			}
		})
	}
}

func TestTokenIsNotPrinted(t *testing.T) {
	credentials := client.Token("canary")
	if printed := fmt.Sprintf("%v %+v %#v %s %q", credentials, credentials, credentials, credentials, credentials); strings.Contains(printed, "canary") {
		t.Error(printed)
	}
}
