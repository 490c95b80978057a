package server_test

import (
	"context"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/fluentcart-gateway/fluentcart-gateway/client"
	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server"
)

// countedCalls counts the calls that reach the service, and notes when they do.
type countedCalls struct {
	customerv1.CustomerServiceServer

	mu sync.Mutex
	at []time.Time
}

func (c *countedCalls) count() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = append(c.at, time.Now())
}

// take returns when the calls since the last take came.
func (c *countedCalls) take() []time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	taken := c.at
	c.at = nil
	return taken
}

func (c *countedCalls) UpdateCustomer(ctx context.Context, request *customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error) {
	c.count()
	return c.CustomerServiceServer.UpdateCustomer(ctx, request)
}

func (c *countedCalls) GetCustomer(ctx context.Context, request *customerv1.GetCustomerRequest) (*customerv1.GetCustomerResponse, error) {
	c.count()
	return c.CustomerServiceServer.GetCustomer(ctx, request)
}

// serveCounted runs a gateway in memory, with this service behind it.
func serveCounted(t testing.TB, customers customerv1.CustomerServiceServer) (*memoryGateway, *countedCalls) {
	t.Helper()
	counted := &countedCalls{CustomerServiceServer: customers}
	return serveInMemory(t, server.Config{Customers: counted, DefaultTimeout: 30 * time.Second, DrainTimeout: time.Second}), counted
}

// newSandboxService returns a service in front of a sandbox store in memory. wrap is a handler between the two.
func newSandboxService(t testing.TB, config service.Config, wrap func(http.Handler) http.Handler) (customers *service.Service, stop func()) {
	t.Helper()
	listener := newMemoryListener()
	store := &http.Server{Handler: &recorder{next: wrap(sandbox.New(sandbox.Config{}))}, ReadHeaderTimeout: time.Minute}
	go func() { _ = store.Serve(listener) }()
	transport := fluentcart.NewTransport()
	transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) { return listener.dial(ctx) }
	var err error
	config.Store, err = fluentcart.New(fluentcart.Config{
		BaseURL: "http://store.example", Credentials: fluentcart.As(sandbox.AdminUsername, sandbox.AdminPassword), Transport: transport,
		GetTimeout: 5 * time.Second, PutTimeout: 10 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	customers, err = service.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return customers, func() {
		customers.Close(context.Background())
		transport.CloseIdleConnections()
		_ = store.Close()
	}
}

// withServiceConfig are the options of a client that leaves the retries to gRPC, as clients in other languages do.
func withServiceConfig() []grpc.DialOption {
	return []grpc.DialOption{grpc.WithDefaultServiceConfig(client.ServiceConfig())}
}

// callers are the two kinds of clients that use the service config.
var callers = map[string]func() []grpc.DialOption{
	"package client":     client.DialOptions,
	"gRPC's own retries": withServiceConfig,
}

// dialInMemory returns a client whose connections dial opens.
func dialInMemory(t testing.TB, options []grpc.DialOption, dial func(context.Context) (net.Conn, error)) (customers customerv1.CustomerServiceClient, stop func()) {
	t.Helper()
	conn, err := grpc.NewClient("passthrough:///memoryGateway", append(options,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return dial(ctx) }))...)
	if err != nil {
		t.Fatal(err)
	}
	return customerv1.NewCustomerServiceClient(conn), func() { _ = conn.Close() }
}
