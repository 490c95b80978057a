package config

import "testing"

func TestCollectorHasADefaultPort(t *testing.T) {
	for endpoint, want := range map[string]Collector{
		"http://collector":        {"collector:4317", true},
		"http://127.0.0.1:14317":  {"127.0.0.1:14317", true},
		"https://collector":       {"collector:4317", false},
		"https://collector:443/":  {"collector:443", false},
		"https://[2001:db8::1]":   {"[2001:db8::1]:4317", false},
		"http://[2001:db8::1]:80": {"[2001:db8::1]:80", true},
	} {
		cfg := parse(t, "--sandbox", "--otlp-endpoint="+endpoint)
		if err := cfg.Validate(); err != nil {
			t.Errorf("%s: %v", endpoint, err)
		}
		if got, on := cfg.Collector(); got != want || !on {
			t.Errorf("%s: %+v, %v", endpoint, got, on)
		}
	}
	if _, on := parse(t, "--sandbox").Collector(); on {
		t.Error("traces are on by default")
	}
}
