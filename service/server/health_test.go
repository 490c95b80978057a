package server_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

// Health checks are for everybody: they get gRPC's own answers, and cannot fill the log.
func TestHealthChecksAreAnsweredAndNotLogged(t *testing.T) {
	g := start(t, options{})
	health := healthv1.NewHealthClient(g.conn)
	for range 10 {
		if _, err := health.Check(t.Context(), &healthv1.HealthCheckRequest{}); err != nil {
			t.Fatal(err)
		}
		if _, err := health.Check(t.Context(), &healthv1.HealthCheckRequest{Service: "unknown"}); status.Code(err) != codes.NotFound {
			t.Fatalf("of an unknown service: %v", err)
		}
	}
	if log := g.log.String(); log != "" {
		t.Errorf("the log has:\n%s", log)
	}
}

func TestOptionsOfTheWholeServerAreNotAnswered(t *testing.T) {
	g := start(t, options{})
	request, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, g.url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.URL.Opaque = "*"
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, _ := io.ReadAll(response.Body); response.StatusCode != http.StatusNotFound || !strings.Contains(string(body), "NO_SUCH_PATH") {
		t.Errorf("%s: %s", response.Status, body)
	}
}
