package client_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"os"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
)

// The gateway of the examples: a fake, unless the environment names a real one in front of a new sandbox store.
var (
	address string
	roots   = x509.NewCertPool()
	token   = os.Getenv("GATEWAY_EXAMPLES_TOKEN")
)

const fakeToken = "a-token-that-opens-nothing"

func TestMain(m *testing.M) {
	address = os.Getenv("GATEWAY_EXAMPLES_ADDR")
	if address == "" {
		server := startFake()
		defer server.Stop()
	} else {
		ca, err := os.ReadFile(os.Getenv("GATEWAY_EXAMPLES_CA"))
		must(err)
		roots.AppendCertsFromPEM(ca)
	}
	m.Run()
}

func startFake() *grpc.Server {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	must(err)
	parsed, err := x509.ParseCertificate(certificate)
	must(err)
	roots.AddCert(parsed)
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	must(err)
	address, token = listener.Addr().String(), fakeToken
	server := grpc.NewServer(grpc.Creds(credentials.NewServerTLSFromCert(&tls.Certificate{Certificate: [][]byte{certificate}, PrivateKey: key})))
	register(server, newFakeGateway())
	go func() { must(server.Serve(listener)) }()
	return server
}

// register makes a server serve customers, and say that it does.
func register(server *grpc.Server, customers customerv1.CustomerServiceServer) {
	customerv1.RegisterCustomerServiceServer(server, customers)
	serving := health.NewServer()
	serving.SetServingStatus(customerv1.CustomerService_ServiceDesc.ServiceName, healthv1.HealthCheckResponse_SERVING)
	healthv1.RegisterHealthServer(server, serving)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
