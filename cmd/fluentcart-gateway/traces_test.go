package main

import (
	"context"
	"os"
	"strings"
	"testing"
)

// OpenTelemetry would ignore a variable that it cannot use, and the collector would refuse the spans for a reason that nobody
// finds. No value is shown: headers are secrets.
func TestVariablesOfOpenTelemetryThatCannotBeUsedEndTheStart(t *testing.T) {
	for name, row := range map[string]struct{ variable, value, want string }{
		"a file that does not exist":    {"OTEL_EXPORTER_OTLP_CERTIFICATE", "/does/not/exist", "read tls ca cert file: open /does/not/exist"},
		"a file that is no certificate": {"OTEL_EXPORTER_OTLP_CERTIFICATE", os.Args[0], "create tls cert pool"},
		"a header without a value":      {"OTEL_EXPORTER_OTLP_HEADERS", "secret", "parse headers"},
		"a time that is no number":      {"OTEL_EXPORTER_OTLP_TIMEOUT", "5s", "parse duration"},
		"attributes that are no pairs":  {"OTEL_RESOURCE_ATTRIBUTES", "production", "OTEL_RESOURCE_ATTRIBUTES: must be pairs such as deployment.environment.name=production"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(row.variable, row.value)
			ctx, stop := context.WithCancel(t.Context())
			stop() // a gateway that starts ends at once
			var stdout, stderr strings.Builder
			code := run(ctx, append([]string{"--otlp-endpoint=https://localhost"}, sandboxOnFreePorts...), &stdout, &stderr)
			if code != exitUsage || !strings.Contains(stderr.String(), row.want) || strings.Contains(stderr.String(), "secret") {
				t.Errorf("exit code %d: %s", code, stderr.String())
			}
		})
	}
}
