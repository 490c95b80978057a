package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease/redistest"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox/sandboxtest"
)

// admin sends a request to the admin server of a process.
func (p *process) admin(t testing.TB, path string) (httpStatus int, body string) {
	t.Helper()
	response, err := http.Get(p.adminURL + path) //nolint:noctx // it ends when the test does
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(content)
}

// becomes waits for an answer of /readyz.
func (p *process) becomes(t testing.TB, httpStatus int, said string) {
	t.Helper()
	var gotStatus int
	var got string
	if !waitFor(t, 20*time.Second, func() bool {
		gotStatus, got = p.admin(t, "/readyz")
		return gotStatus == httpStatus && strings.Contains(got, said)
	}) {
		t.Fatalf("/readyz says %d %q, want %d %q", gotStatus, got, httpStatus, said)
	}
}

func cityOf(customer int64) *customerv1.UpdateCustomerRequest {
	return &customerv1.UpdateCustomerRequest{CustomerId: customer, Customer: &customerv1.Customer{City: proto.String("Lyon")}}
}

func TestAdminServerReportsADrainingGateway(t *testing.T) {
	t.Parallel()
	begun, finish := make(chan struct{}), make(chan struct{})
	backend := sandbox.New(sandbox.Config{})
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			close(begun)
			<-finish
		}
		backend.ServeHTTP(w, r)
	}))
	t.Cleanup(store.Close)
	p := startGateway(t, store.URL)
	p.becomes(t, http.StatusOK, "ready")
	ended := make(chan error, 1)
	go func() {
		_, err := p.customers.UpdateCustomer(t.Context(), cityOf(1))
		ended <- err
	}()
	<-begun
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.becomes(t, http.StatusServiceUnavailable, "the gateway is stopping\n")
	if httpStatus, said := p.admin(t, "/livez"); httpStatus != http.StatusOK {
		t.Errorf("/livez says %d %s while a call ends", httpStatus, said)
	}
	close(finish)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	<-p.ended
	if code := p.command.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code %d: %s", code, p.log)
	}
}

func TestGatewayIsNotReadyWhileRedisGivesNoLeases(t *testing.T) {
	t.Parallel()
	_, store := startStore(t, sandbox.Config{})
	redis := redistest.Start(t)
	p := startGateway(t, store, "--redis-url="+redis.URL, "--get-timeout=500ms", "--put-timeout=1s", "--write-settle-time=2s")
	p.becomes(t, http.StatusServiceUnavailable, "Redis has just started")
	p.becomes(t, http.StatusOK, "ready")
	redis.Kill(t)
	p.becomes(t, http.StatusServiceUnavailable, "Redis does not answer")
	if _, said := p.admin(t, "/metrics"); !strings.Contains(said, "fluentcart_gateway_redis_available 0\n") || !strings.Contains(said, "fluentcart_gateway_ready 0\n") {
		t.Errorf("wrong metrics:\n%s", said)
	}
	redis.Restart(t)
	p.becomes(t, http.StatusServiceUnavailable, "Redis has just started")
	p.becomes(t, http.StatusOK, "ready")
}

func TestGatewayIsNotReadyWhileTheStoreRefusesItsCredentials(t *testing.T) {
	t.Parallel()
	_, store := startStore(t, sandbox.Config{})
	password := filepath.Join(t.TempDir(), "password")
	write := func(content string) {
		t.Helper()
		if err := os.WriteFile(password, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("a wrong one")
	p := startGateway(t, store, "--store-password-file="+password)
	if _, err := p.customers.UpdateCustomer(t.Context(), cityOf(1)); status.Code(err) != codes.Internal {
		t.Fatalf("got %v", err)
	}
	p.becomes(t, http.StatusServiceUnavailable, "the store refuses the gateway's credentials\n")
	write(sandbox.AdminPassword)
	p.becomes(t, http.StatusOK, "ready") // the store has not refused the new password
	if _, err := p.customers.UpdateCustomer(t.Context(), cityOf(1)); err != nil {
		t.Error(err)
	}
	write("")
	if !waitFor(t, 10*time.Second, func() bool {
		_, said := p.admin(t, "/metrics")
		return strings.Contains(said, `fluentcart_gateway_file_stale{file="--store-password-file"} 1`)
	}) {
		t.Error("the metrics do not show that the file is not usable")
	}
}

// All gateways have the same store: removing them all would help no caller.
func TestGatewayStaysReadyWhileTheStoreIsDown(t *testing.T) {
	p := startGateway(t, sandboxtest.Down(t))
	for range 10 {
		_, _ = p.customers.UpdateCustomer(t.Context(), cityOf(1))
	}
	_, said := p.admin(t, "/metrics")
	for _, line := range []string{"fluentcart_gateway_store_suspended 1\n", `fluentcart_gateway_store_requests_total{method="GET",outcome="unreachable"} `, `fluentcart_gateway_store_retries_total{method="GET"} `} {
		if !strings.Contains(said, line) {
			t.Errorf("the metrics lack %s:\n%s", line, said)
		}
	}
	p.becomes(t, http.StatusOK, "ready")
}
