package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
)

// healthcheck asks a gateway over the standard health protocol.
func healthcheck(ctx context.Context, cfg *serveConfig, stdout io.Writer) error {
	addr := cfg.GRPCAddr
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	connection, err := grpc.NewClient(addr, grpc.WithTransportCredentials(healthcheckCredentials(cfg)))
	if err != nil {
		return fmt.Errorf("--grpc-addr=%s: %w", addr, err)
	}
	defer connection.Close() //nolint:errcheck // the answer is there, or is not
	answer, err := healthv1.NewHealthClient(connection).Check(ctx, &healthv1.HealthCheckRequest{})
	if err != nil {
		if cfg.TLSCert == "" {
			return fmt.Errorf("no answer from %s: %w (if the gateway speaks TLS, give --tls-cert here too)", addr, err)
		}
		return fmt.Errorf("no answer from %s: %w", addr, err)
	}
	if answer.GetStatus() != healthv1.HealthCheckResponse_SERVING {
		return fmt.Errorf("%s is up, and says %s", addr, answer.GetStatus())
	}
	fmt.Fprintln(stdout, "serving")
	return nil
}

// healthcheckCredentials speak TLS where the gateway does, and look at no certificate: it is for the name that callers
// know, and not for an address of this machine; and the question and its answer are no secrets.
func healthcheckCredentials(cfg *serveConfig) credentials.TransportCredentials {
	if cfg.TLSCert == "" {
		return insecure.NewCredentials()
	}
	return credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: true}) //nolint:gosec // as above
}
