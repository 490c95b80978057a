package e2e

import (
	"context"
	"crypto/tls"
	"net/http"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
)

// identity is the credentials of a caller.
type identity struct {
	tls           *tls.Config // nil for none
	authorization string
}

// connectUntilEnd is connect until the test ends.
func (p *process) connectUntilEnd(t testing.TB, as identity) (overGRPC, overJSON customerv1.CustomerServiceClient, answer *http.Response) {
	t.Helper()
	overGRPC, overJSON, answer, disconnect := p.connect(t, as)
	t.Cleanup(disconnect)
	return overGRPC, overJSON, answer
}

// connect returns a client of each transport with these credentials, and the last HTTP answer.
func (p *process) connect(t testing.TB, as identity) (overGRPC, overJSON customerv1.CustomerServiceClient, answer *http.Response, disconnect func()) {
	t.Helper()
	security := insecure.NewCredentials()
	if as.tls != nil {
		security = credentials.NewTLS(as.tls)
	}
	conn, err := grpc.NewClient(p.grpcAddr, grpc.WithTransportCredentials(security),
		grpc.WithUnaryInterceptor(func(ctx context.Context, method string, request, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
			if as.authorization != "" {
				ctx = metadata.AppendToOutgoingContext(ctx, "authorization", as.authorization)
			}
			return invoke(ctx, method, request, reply, conn, options...)
		}))
	if err != nil {
		t.Fatal(err)
	}
	carrier := &http.Transport{TLSClientConfig: as.tls}
	disconnect = func() {
		_ = conn.Close()
		carrier.CloseIdleConnections()
	}
	answer = &http.Response{}
	json := jsonClient{url: p.jsonURL, http: &http.Client{Transport: carrier}, answered: func(a *http.Response) { *answer = *a }}
	if as.authorization != "" {
		json.authorization = func() string { return as.authorization }
	}
	return customerv1.NewCustomerServiceClient(conn), json, answer, disconnect
}
