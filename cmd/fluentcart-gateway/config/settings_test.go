package config_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fluentcart-gateway/fluentcart-gateway/cmd/fluentcart-gateway/config"
)

func TestSettingsAreShownWithoutUsers(t *testing.T) {
	off := false
	cfg := &config.Config{
		StoreURL: "https://canary:canary@shop.example.com/shop", RedisURL: "rediss://canary@redis:6379/1", Docs: &off,
		StorePasswordFile: "/run/secrets/password", DrainDelay: 5 * time.Second, MaxInFlight: 4, AllowClient: []string{"orders", "billing=status"},
	}
	got := map[string]string{}
	for _, setting := range cfg.Settings() {
		got[setting.Key] = setting.Value.String()
	}
	want := map[string]string{
		"store-url": "https://shop.example.com/shop", "redis-url": "rediss://redis:6379/1", "docs": "false",
		"store-password-file": "/run/secrets/password", "drain-delay": "5s", "max-in-flight": "4", "allow-client": "[orders billing=status]",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
}
