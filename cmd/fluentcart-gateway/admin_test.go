package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease/redistest"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox/sandboxtest"
)

// admin asks a process at its admin door.
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

// becomes waits until /readyz says something.
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

func TestAdminDoorSaysThatTheGatewayStopsUntilItHas(t *testing.T) {
	begun, finish := make(chan struct{}), make(chan struct{})
	stand := sandbox.New(sandbox.Config{})
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			close(begun)
			<-finish
		}
		stand.ServeHTTP(w, r)
	}))
	t.Cleanup(store.Close)
	p := startProcess(t, "no", store.URL)
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
	if code := p.command.ProcessState.ExitCode(); code != exitOK {
		t.Errorf("exit code %d: %s", code, p.log)
	}
}

func TestGatewayIsNotReadyWhileRedisGivesNoLeases(t *testing.T) {
	_, store := startStore(t, sandbox.Config{})
	redis := redistest.Start(t)
	p := startProcess(t, "no", store, "--redis-url="+redis.URL, "--get-timeout=500ms", "--put-timeout=1s", "--write-settle-time=2s")
	p.becomes(t, http.StatusServiceUnavailable, "Redis has started anew")
	p.becomes(t, http.StatusOK, "ready")
	redis.Kill(t)
	p.becomes(t, http.StatusServiceUnavailable, "Redis does not answer")
	if _, said := p.admin(t, "/metrics"); !strings.Contains(said, "fluentcart_gateway_redis_available 0\n") || !strings.Contains(said, "fluentcart_gateway_ready 0\n") {
		t.Errorf("the metrics do not tell:\n%s", said)
	}
	redis.Restart(t)
	p.becomes(t, http.StatusServiceUnavailable, "Redis has started anew")
	p.becomes(t, http.StatusOK, "ready")
}

func TestGatewayIsNotReadyWhileTheStoreRefusesItsCredentials(t *testing.T) {
	_, store := startStore(t, sandbox.Config{})
	password := filepath.Join(t.TempDir(), "password")
	write := func(content string) {
		t.Helper()
		if err := os.WriteFile(password, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("a wrong one")
	p := startProcess(t, "no", store, "--store-password-file="+password)
	if _, err := p.customers.UpdateCustomer(t.Context(), cityOf(1)); status.Code(err) != codes.Internal {
		t.Fatalf("got %v", err)
	}
	p.becomes(t, http.StatusServiceUnavailable, "the store refuses the gateway's credentials\n")
	write(sandbox.AdminPassword)
	p.becomes(t, http.StatusOK, "ready") // nobody knows any harm of it
	if _, err := p.customers.UpdateCustomer(t.Context(), cityOf(1)); err != nil {
		t.Error(err)
	}
	write("")
	if !waitFor(t, 10*time.Second, func() bool {
		_, said := p.admin(t, "/metrics")
		return strings.Contains(said, `fluentcart_gateway_file_stale{file="--store-password-file"} 1`)
	}) {
		t.Error("the metrics do not tell that the file is no good")
	}
}

// All gateways have the same store: whoever took them all away would gain nothing.
func TestGatewayStaysReadyWhileTheStoreIsDown(t *testing.T) {
	p := startProcess(t, "no", sandboxtest.Down(t))
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

// Neither secrets nor customers are seen at the admin door, whatever is looked at while calls go on.
func TestAdminDoorShowsNoSecretsAndNoCustomers(t *testing.T) {
	_, store := startStore(t, sandbox.Config{})
	tokens := filepath.Join(t.TempDir(), "tokens")
	var token, errs strings.Builder
	if code := run(t.Context(), []string{"token", "orders", "--token-file=" + tokens}, &token, &errs); code != exitOK {
		t.Fatal(errs.String())
	}
	bearer := "Bearer " + strings.TrimSpace(token.String())
	p := startProcess(t, "no", store, "--admin-pprof", "--caller-auth=token", "--token-file="+tokens)

	ctx, stop := context.WithCancel(metadata.AppendToOutgoingContext(t.Context(), "authorization", bearer))
	var calls sync.WaitGroup
	for id := range int64(4) {
		calls.Go(func() {
			for ctx.Err() == nil {
				_, _ = p.customers.UpdateCustomer(ctx, &customerv1.UpdateCustomerRequest{CustomerId: id + 1, Customer: &customerv1.Customer{
					FullName: proto.String("Canaryfirst Canarylast"), Notes: proto.String("canary notes " + time.Now().String()),
				}})
			}
		})
	}
	t.Cleanup(func() {
		stop()
		calls.Wait()
	})
	if !waitFor(t, 10*time.Second, func() bool {
		_, said := p.admin(t, "/metrics")
		return strings.Contains(said, `caller="orders",code="OK"`)
	}) {
		t.Fatal("no call is in the metrics")
	}

	canaries := []string{
		sandbox.AdminPassword, base64.StdEncoding.EncodeToString([]byte(sandbox.AdminUsername + ":" + sandbox.AdminPassword)),
		bearer, strings.TrimPrefix(bearer, "Bearer "), "Canaryfirst", "Canarylast", "canary notes", "ann@example",
	}
	for _, path := range []string{
		"/metrics", "/readyz", "/debug/pprof/", "/debug/pprof/cmdline", "/debug/pprof/symbol", "/debug/pprof/goroutine?debug=1", "/debug/pprof/goroutine?debug=2",
		"/debug/pprof/goroutine", "/debug/pprof/heap", "/debug/pprof/heap?debug=1", "/debug/pprof/allocs", "/debug/pprof/threadcreate", "/debug/pprof/block",
		"/debug/pprof/mutex", "/debug/pprof/profile?seconds=1", "/debug/pprof/trace?seconds=1",
	} {
		httpStatus, said := p.admin(t, path)
		if httpStatus != http.StatusOK || said == "" && !strings.HasSuffix(path, "symbol") {
			t.Errorf("%s: %d, %d bytes", path, httpStatus, len(said))
		}
		said = unpacked(t, said)
		for _, canary := range canaries {
			if strings.Contains(said, canary) {
				t.Errorf("%s shows %q", path, canary)
			}
		}
	}
}

// unpacked returns what a profile holds.
func unpacked(t *testing.T, content string) string {
	t.Helper()
	if !strings.HasPrefix(content, "\x1f\x8b") {
		return content
	}
	reader, err := gzip.NewReader(strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	whole, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	return string(whole)
}

// The doors let nobody in who has no certificate, and a health check has none.
func TestHealthcheckAsksTheAdminDoorWhereCallersNeedCertificates(t *testing.T) {
	certificate, key := writeCertificate(t)
	flags := []string{"--caller-auth=mtls", "--tls-cert=" + certificate, "--tls-key=" + key, "--tls-client-ca=" + certificate, "--allow-client=orders"}
	admin := strings.TrimPrefix(address(t, startCommand(t, append(flags, sandboxOnFreePorts...)...), "admin"), "http://")
	var out, errs strings.Builder
	if code := run(t.Context(), append(flags, "healthcheck", "--admin-addr="+admin), &out, &errs); code != exitOK || out.String() != "serving\n" {
		t.Errorf("exit code %d: %s%s", code, out.String(), errs.String())
	}
	p := &process{adminURL: "http://" + admin}
	if _, said := p.admin(t, "/metrics"); !strings.Contains(said, "\nfluentcart_gateway_certificate_expiry_timestamp_seconds ") {
		t.Errorf("the metrics do not tell when the certificate expires:\n%s", said)
	}
	if code := run(t.Context(), append(flags, "healthcheck", "--admin-addr=127.0.0.1:1"), &out, &errs); code != exitFailed || !strings.Contains(errs.String(), "no answer from 127.0.0.1:1") {
		t.Errorf("exit code %d: %s", code, errs.String())
	}
	troubled := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "one thing\nanother", http.StatusServiceUnavailable)
	}))
	t.Cleanup(troubled.Close)
	if code := run(t.Context(), append(flags, "healthcheck", "--admin-addr="+troubled.Listener.Addr().String()), &out, &errs); code != exitFailed || !strings.Contains(errs.String(), "is up, and not ready: one thing; another") {
		t.Errorf("exit code %d: %s", code, errs.String())
	}
}

// writeCertificate writes a certificate that has signed itself, and its key.
func writeCertificate(t *testing.T) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	directory := t.TempDir()
	certificate, key = filepath.Join(directory, "cert.pem"), filepath.Join(directory, "key.pem")
	for path, block := range map[string]*pem.Block{certificate: {Type: "CERTIFICATE", Bytes: signed}, key: {Type: "PRIVATE KEY", Bytes: encoded}} {
		var content bytes.Buffer
		if err := pem.Encode(&content, block); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certificate, key
}
