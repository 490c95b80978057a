package config

import (
	"cmp"
	"errors"
	"net"
	"net/url"
	"strconv"
)

// Collector is where traces are sent.
type Collector struct {
	Address   string // host and port
	Plaintext bool   // no TLS
}

// defaultOTLPPort is the port that collectors listen on for OTLP over gRPC.
const defaultOTLPPort = "4317"

// parseCollector reads --otlp-endpoint.
func parseCollector(endpoint string) (Collector, error) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return Collector{}, errors.New("must be http://host:4317 for a collector without TLS, or https://host:4317") // the value may hold a password and is not shown
	}
	port := cmp.Or(u.Port(), defaultOTLPPort)
	number, err := strconv.ParseUint(port, 10, 16)
	switch {
	case u.User != nil:
		return Collector{}, errors.New("must not hold a user name or password; give headers for the collector in OTEL_EXPORTER_OTLP_HEADERS")
	case u.Path != "" && u.Path != "/", u.RawQuery != "", u.Fragment != "":
		return Collector{}, errors.New("must end after the port: OTLP over gRPC has no path. A collector that gives one, such as /v1/traces, gives that of OTLP over HTTP; use its gRPC port, mostly 4317")
	case err != nil || number == 0:
		return Collector{}, errors.New("the port must be a number from 1 to 65535")
	}
	return Collector{Address: net.JoinHostPort(u.Hostname(), port), Plaintext: u.Scheme == "http"}, nil
}

// Collector returns where traces are sent, and false if they are off. Validate reports the error.
func (c *Config) Collector() (collector Collector, on bool) {
	if c.OTLPEndpoint == "" {
		return Collector{}, false
	}
	collector, err := parseCollector(c.OTLPEndpoint)
	return collector, err == nil
}

func (c *Config) validateTraces(f *faults) {
	if c.OTLPEndpoint != "" {
		if _, err := parseCollector(c.OTLPEndpoint); err != nil {
			f.add("--otlp-endpoint: %w", err)
		}
	}
	if !(c.TraceRatio >= 0 && c.TraceRatio <= 1) { // NaN is neither
		f.add("--trace-ratio=%v: must be from 0 to 1, such as 0.01 for one trace in a hundred", c.TraceRatio)
	}
}
