package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth/authtest"
)

func TestHealthcheckReportsWhetherAGatewayServes(t *testing.T) {
	addr := address(t, startCommand(t, sandboxOnFreePorts...), "gRPC")
	var out, errs strings.Builder
	for _, addr := range []string{addr, strings.TrimPrefix(addr, "127.0.0.1")} { // with and without a host
		out.Reset()
		if code := run(t.Context(), []string{"healthcheck", "--grpc-addr=" + addr}, &out, &errs); code != exitOK || out.String() != "serving\n" {
			t.Errorf("exit code %d: %s%s", code, out.String(), errs.String())
		}
	}
	if code := run(t.Context(), []string{"healthcheck", "--grpc-addr=127.0.0.1:1"}, &out, &errs); code != exitFailed || !strings.Contains(errs.String(), "no answer from 127.0.0.1:1") {
		t.Errorf("exit code %d: %s", code, errs.String())
	}
}

// Both transports require the certificate of a caller, and a health check has none.
func TestHealthcheckAsksTheAdminServerWhereCallersNeedCertificates(t *testing.T) {
	authority := authtest.NewAuthority(t)
	cert, private := authtest.PEM(t, authority.Server(t))
	certificate, key, ca := writeFile(t, "cert.pem", string(cert)), writeFile(t, "key.pem", string(private)), writeFile(t, "ca.pem", string(authority.PEM()))
	flags := []string{"--caller-auth=mtls", "--tls-cert=" + certificate, "--tls-key=" + key, "--tls-client-ca=" + ca, "--allow-client=orders"}
	admin := strings.TrimPrefix(address(t, startCommand(t, append(flags, sandboxOnFreePorts...)...), "admin"), "http://")
	var out, errs strings.Builder
	for _, addr := range []string{admin, strings.TrimPrefix(admin, "127.0.0.1")} { // with and without a host
		out.Reset()
		if code := run(t.Context(), append(flags, "healthcheck", "--admin-addr="+addr), &out, &errs); code != exitOK || out.String() != "serving\n" {
			t.Errorf("exit code %d: %s%s", code, out.String(), errs.String())
		}
	}
	response, err := http.Get("http://" + admin + "/metrics") //nolint:noctx // it ends with the test
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	metrics, err := io.ReadAll(response.Body)
	if err != nil || !strings.Contains(string(metrics), "\nfluentcart_gateway_certificate_expiry_timestamp_seconds ") {
		t.Errorf("the metrics do not have the expiry of the certificate: %v\n%s", err, metrics)
	}
	if code := run(t.Context(), append(flags, "healthcheck", "--admin-addr=127.0.0.1:1"), &out, &errs); code != exitFailed || !strings.Contains(errs.String(), "no answer from 127.0.0.1:1") {
		t.Errorf("exit code %d: %s", code, errs.String())
	}
	notReady := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "one thing\nanother", http.StatusServiceUnavailable)
	}))
	t.Cleanup(notReady.Close)
	if code := run(t.Context(), append(flags, "healthcheck", "--admin-addr="+notReady.Listener.Addr().String()), &out, &errs); code != exitFailed || !strings.Contains(errs.String(), "is up, but not ready: one thing; another") {
		t.Errorf("exit code %d: %s", code, errs.String())
	}
}
