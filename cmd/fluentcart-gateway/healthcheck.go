package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/fluentcart-gateway/fluentcart-gateway/cmd/fluentcart-gateway/config"
)

// healthcheck asks a gateway whether it serves: over the standard health protocol, or, where both transports require the
// certificate of a caller, at the admin server.
func healthcheck(ctx context.Context, cfg *config.Config, stdout io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	ask := askHealth
	if cfg.CallerAuth == config.AuthMTLS {
		ask = askReady
	}
	if err := ask(ctx, cfg); err != nil {
		return err
	}
	fmt.Fprintln(stdout, "serving")
	return nil
}

func askHealth(ctx context.Context, cfg *config.Config) error {
	addr := cfg.GRPCAddr
	// A proxy from the environment would answer for a gateway that it may not even reach. With passthrough, an address without a
	// host, such as :9090 in the container, is this machine also where no name server knows localhost.
	connection, err := grpc.NewClient("passthrough:///"+addr, grpc.WithTransportCredentials(healthcheckCredentials(cfg)), grpc.WithNoProxy())
	if err != nil {
		return fmt.Errorf("--grpc-addr=%s: %w", addr, err)
	}
	defer connection.Close() //nolint:errcheck // the answer has been read, or there is none
	response, err := healthv1.NewHealthClient(connection).Check(ctx, &healthv1.HealthCheckRequest{})
	if err != nil {
		hint := ""
		if cfg.TLSCert == "" {
			hint = " (if the gateway uses TLS, give --tls-cert here too)"
		}
		return fmt.Errorf("no answer from %s: %s%s", addr, status.Convert(err).Message(), hint)
	}
	if response.GetStatus() != healthv1.HealthCheckResponse_SERVING {
		return fmt.Errorf("%s is up, but its health is %s; /readyz at --admin-addr gives the reasons", addr, response.GetStatus())
	}
	return nil
}

func askReady(ctx context.Context, cfg *config.Config) error {
	addr := cfg.AdminAddr
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/readyz", http.NoBody)
	if err != nil {
		return fmt.Errorf("--admin-addr=%s: must be host:port, such as 127.0.0.1:9091", addr)
	}
	response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request) // without a proxy, as above
	if err != nil {
		return fmt.Errorf("no answer from %s: %w", addr, err)
	}
	defer response.Body.Close() //nolint:errcheck // the answer has been read, or there is none
	said, err := io.ReadAll(io.LimitReader(response.Body, 1<<10))
	if err != nil {
		return fmt.Errorf("no answer from %s: %w", addr, err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s is up, but not ready: %s", addr, strings.ReplaceAll(strings.TrimSpace(string(said)), "\n", "; "))
	}
	return nil
}

// healthcheckCredentials uses TLS where the gateway does, and does not verify the certificate: it is for the name that
// callers use, not for an address of this machine, and neither the request nor its answer is secret.
func healthcheckCredentials(cfg *config.Config) credentials.TransportCredentials {
	if cfg.TLSCert == "" {
		return insecure.NewCredentials()
	}
	return credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: true}) //nolint:gosec // as above
}
