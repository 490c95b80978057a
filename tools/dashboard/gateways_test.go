package dashboard

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth/authtest"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease/redistest"
	"github.com/fluentcart-gateway/fluentcart-gateway/tools/gatewaytest"
)

// client calls a gateway over JSON.
type client struct {
	url, authorization string
	http               *http.Client
}

// startGateways runs two gateways that together have all metrics: one with the sandbox store, and one in front of the same store
// with Redis, tokens and TLS.
func startGateways(t testing.TB) (plain, full gatewaytest.Gateway, callers []client) {
	t.Helper()
	binary, directory := gatewaytest.Build(t), t.TempDir()
	plain = gatewaytest.Start(t, binary, "--sandbox", "--max-in-flight=2", "--max-queue=4", "--write-settle-time=2s", "--put-timeout=1s")

	password, tokens := filepath.Join(directory, "password"), filepath.Join(directory, "tokens")
	writeFile(t, password, gatewaytest.SandboxPassword)
	token, err := exec.CommandContext(t.Context(), binary, "token", "crm", "--token-file="+tokens).Output()
	if err != nil {
		t.Fatal(err)
	}
	authority := authtest.NewAuthority(t)
	certificate, key := authtest.PEM(t, authority.Server(t))
	writeFile(t, filepath.Join(directory, "cert.pem"), string(certificate))
	writeFile(t, filepath.Join(directory, "key.pem"), string(key))
	redis := redistest.Start(t)
	setEvictionPolicy(t, redis.URL, "allkeys-lru") // so that the alert about it has a series
	full = gatewaytest.Start(t, binary, "--store-url="+plain.Sandbox, "--store-username="+gatewaytest.SandboxUsername, "--store-password-file="+password,
		"--redis-url="+redis.URL, "--caller-auth=token", "--token-file="+tokens,
		"--tls-cert="+filepath.Join(directory, "cert.pem"), "--tls-key="+filepath.Join(directory, "key.pem"))
	secure := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: authority.Roots(), MinVersion: tls.VersionTLS12}}
	t.Cleanup(secure.CloseIdleConnections)
	return plain, full, []client{
		{url: plain.URL, http: http.DefaultClient},
		{url: full.URL, http: &http.Client{Transport: secure}, authorization: "Bearer " + strings.TrimSpace(string(token))},
	}
}

// setEvictionPolicy sets what Redis does when its memory is full.
func setEvictionPolicy(t testing.TB, redisURL, policy string) {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "unix", strings.TrimPrefix(redisURL, "unix://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	answer := make([]byte, 5)
	if _, err := fmt.Fprintf(conn, "CONFIG SET maxmemory-policy %s\r\n", policy); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(conn, answer); err != nil || string(answer) != "+OK\r\n" {
		t.Fatalf("Redis says %q, %v", answer, err)
	}
}

// send sends a request, with a deadline in seconds if that is not 0.
func (c client) send(t testing.TB, method, path, body string, deadline int) {
	t.Helper()
	request, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), method, c.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if c.authorization != "" {
		request.Header.Set("Authorization", c.authorization)
	}
	if deadline != 0 {
		request.Header.Set("Grpc-Timeout", fmt.Sprintf("%dS", deadline))
	}
	response, err := c.http.Do(request)
	if err != nil {
		t.Error(err)
		return
	}
	_, _ = io.Copy(io.Discard, response.Body) // the metrics have the outcome
	_ = response.Body.Close()
}

// update changes a customer to a value that is new.
func (c client) update(t testing.TB, customer, deadline int) {
	t.Helper()
	c.send(t, http.MethodPatch, fmt.Sprintf("/v1/customers/%d", customer), fmt.Sprintf(`{"city":"City %d"}`, time.Now().UnixNano()), deadline)
}

func (c client) read(t testing.TB, customer int) {
	t.Helper()
	c.send(t, http.MethodGet, fmt.Sprintf("/v1/customers/%d", customer), "", 0)
}

// updateOverGRPC makes a call over gRPC.
func updateOverGRPC(t testing.TB, address string) {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	request := &customerv1.UpdateCustomerRequest{CustomerId: 4, Customer: &customerv1.Customer{City: new("Paris")}}
	if _, err := customerv1.NewCustomerServiceClient(conn).UpdateCustomer(t.Context(), request); err != nil {
		t.Error(err)
	}
}
