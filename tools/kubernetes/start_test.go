package kubernetes

import (
	"fmt"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// TestContainers starts the gateway of each overlay with the arguments, variables, files, modes and user of its container.
//
// Only these differ from a cluster: the port numbers, the directory above the mounts, the addresses of the store and of Redis, and,
// with Redis, shorter times, because a gateway waits for them when it meets a new Redis.
func TestContainers(t *testing.T) {
	binary := gatewayBinary(t)
	secrets, token := createSecrets(t, binary)
	store := httptest.NewServer(sandbox.New(sandbox.Config{}))
	t.Cleanup(store.Close)
	for name, build := range variants() {
		// The probes succeed, the metrics are served, a call is answered, and SIGTERM ends it in time.
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := build(t)
			w, _ := o.gateway()
			settings, err := o.settings()
			if err != nil {
				t.Fatal(err)
			}
			ports := map[string]string{"grpc": freePort(t), "http": freePort(t), "admin": freePort(t)}
			args := slices.Clone(w.container().Args)
			for name, port := range ports { // the last value of a flag counts
				args = append(args, fmt.Sprintf("--%s-addr=:%s", name, port))
			}
			if settings.Sandbox {
				args = append(args, "--sandbox-addr=127.0.0.1:0")
			} else {
				args = append(args, "--store-url="+store.URL, "--store-username="+sandbox.AdminUsername)
			}
			if settings.RedisURL != "" {
				args = append(args, "--redis-url=redis://"+startRedis(t, o, secrets)+"/0", "--get-timeout=1s", "--put-timeout=2s", "--write-settle-time=2s")
			}
			gateway := start(t, o, w, secrets, binary, args)
			admin := "http://127.0.0.1:" + ports["admin"]
			for name, probe := range probesOf(w.container()) {
				gateway.waitFor(t, name, admin+probe.HTTPGet.Path)
			}
			for _, monitor := range all[*monitoringv1.PodMonitor](o) {
				gateway.waitFor(t, "Prometheus", admin+monitor.Spec.PodMetricsEndpoints[0].Path)
			}
			call(t, settings, secrets, ports["http"], token)
			gateway.stop(t, time.Duration(*w.pod.Spec.TerminationGracePeriodSeconds)*time.Second)
		})
	}
	// The gateway itself refuses what it cannot use: a container with such a fault does not start, and says why.
	for _, row := range []struct {
		name string
		edit
		reported string
	}{
		{"a secret that everyone can read", edit{"components/tokens/tokens.yaml", "defaultMode: 0440", "defaultMode: 0444"}, "is open to everyone on this machine (mode 0444)"},
		{"a key that the Secret does not have", edit{"components/tokens/tokens.yaml", "callers/tokens", "callers/token"}, "no such file or directory"},
		{"a variable that does not exist", edit{"overlays/single/settings.env", "STORE_USERNAME", "STORE_USER"}, "FLUENTCART_GATEWAY_STORE_USER: is not a variable of the gateway"},
		{"an address on which unauthenticated callers are not allowed", edit{"components/tokens/tokens.yaml", "value: token", "value: none"}, "callers are not authenticated"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			o := build(t, "overlays/single", row.edit)
			w, _ := o.gateway()
			gateway := start(t, o, w, secrets, binary, w.container().Args)
			select {
			case err := <-gateway.ended:
				if output := gateway.output.String(); err == nil || !strings.Contains(output, row.reported) {
					t.Errorf("%v, want a failure with %q\n%s", err, row.reported, output)
				}
			case <-time.After(30 * time.Second):
				t.Error("it runs")
			}
		})
	}
}

// gatewayBinary builds the gateway.
func gatewayBinary(t testing.TB) string {
	t.Helper()
	folder := t.TempDir()
	open(t, folder)
	build := exec.CommandContext(t.Context(), "go", "build", "-o", folder+"/", "./cmd/fluentcart-gateway")
	build.Dir = root
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return filepath.Join(folder, "fluentcart-gateway")
}
