package main

import (
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// start sets how the image is started. deploy/Dockerfile has the same, which a test compares.
//
// The listeners are open to other machines, as no port of a container can be reached otherwise. Without a store and a way to
// authenticate callers, the gateway therefore refuses to start, and says what is missing.
func start(config *v1.Config) {
	config.Env = append(config.Env,
		"FLUENTCART_GATEWAY_GRPC_ADDR=:9090",
		"FLUENTCART_GATEWAY_HTTP_ADDR=:8080",
		"FLUENTCART_GATEWAY_ADMIN_ADDR=:9091",
	)
	config.ExposedPorts = map[string]struct{}{"8080/tcp": {}, "9090/tcp": {}, "9091/tcp": {}}
	config.WorkingDir = "/"
	config.Healthcheck = &v1.HealthConfig{
		Test:        []string{"CMD", "fluentcart-gateway", "healthcheck"},
		Interval:    10 * time.Second,
		Timeout:     5 * time.Second,
		StartPeriod: 10 * time.Second,
		Retries:     3,
	}
}

// labels describe the image: https://specs.opencontainers.org/image-spec/annotations.
func labels(version, commit string, created time.Time) map[string]string {
	const repository = "https://github.com/fluentcart-gateway/fluentcart-gateway"
	labels := map[string]string{
		"org.opencontainers.image.title":         "fluentcart-gateway",
		"org.opencontainers.image.description":   "gRPC and JSON gateway in front of a FluentCart store",
		"org.opencontainers.image.source":        repository,
		"org.opencontainers.image.documentation": repository + "/blob/main/docs/install.md",
		"org.opencontainers.image.licenses":      "Apache-2.0",
		"org.opencontainers.image.revision":      commit,
		"org.opencontainers.image.created":       created.Format(time.RFC3339),
	}
	if version != "" {
		labels["org.opencontainers.image.version"] = version
	}
	return labels
}
