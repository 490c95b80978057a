package kubernetes

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// TestContainersStart starts the gateway of each overlay with the arguments, variables, files, modes and user of its container. It
// waits until the probes succeed, scrapes the metrics, makes a call, and stops it as a kubelet does.
//
// Only these differ from a cluster: the port numbers, the directory above the mounts, the addresses of the store and of Redis, and,
// with Redis, shorter times, because a gateway waits for them when it meets a new Redis.
func TestContainersStart(t *testing.T) {
	binary := gatewayBinary(t)
	store := httptest.NewServer(sandbox.New(sandbox.Config{}))
	t.Cleanup(store.Close)
	secrets, token := createSecrets(t, binary)
	for name, build := range variants() {
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

// process is a container's process.
type process struct {
	command *exec.Cmd
	output  *bytes.Buffer
	ended   chan error
}

// start starts the program of a container, below a directory of its own with the files of its Secrets and ConfigMaps.
func start(t testing.TB, o *overlay, w workload, secrets, program string, args []string) *process {
	t.Helper()
	mounts := map[string]string{} // directories of the container to those of this machine
	for _, mount := range w.container().VolumeMounts {
		volume, _, _, _ := w.mount(mount.MountPath + "/x")
		mounts[mount.MountPath] = mountVolume(t, o, w.pod.Spec, volume, secrets)
	}
	here := func(text string) string {
		for _, path := range slices.SortedFunc(maps.Keys(mounts), func(a, b string) int { return len(b) - len(a) }) {
			text = strings.ReplaceAll(text, path+"/", mounts[path]+"/")
		}
		return text
	}
	p := &process{command: exec.CommandContext(context.WithoutCancel(t.Context()), program), output: &bytes.Buffer{}, ended: make(chan error, 1)}
	for _, arg := range args {
		p.command.Args = append(p.command.Args, here(arg))
	}
	p.command.Env = []string{"PATH=" + os.Getenv("PATH")}
	for name, value := range o.environment(w.container()) {
		p.command.Env = append(p.command.Env, name+"="+here(value))
	}
	p.command.Dir = "/"
	p.command.Stdout, p.command.Stderr = p.output, p.output
	if security := w.pod.Spec.SecurityContext; os.Geteuid() == 0 {
		p.command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{
			Uid: uint32(*security.RunAsUser), Gid: uint32(*security.RunAsGroup), Groups: []uint32{uint32(*security.FSGroup)},
		}}
	}
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.ended <- p.command.Wait() }()
	t.Cleanup(func() { _ = p.command.Process.Kill() })
	return p
}

// waitFor waits until a probe succeeds, which names the address of a pod as its host.
func (p *process) waitFor(t testing.TB, who, url string) {
	t.Helper()
	answer := "no answer"
	for deadline, ticks := time.After(30*time.Second), time.NewTicker(50*time.Millisecond); ; {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		request.Host = "10.244.1.7:9091"
		if response, err := http.DefaultClient.Do(request); err == nil {
			body, _ := io.ReadAll(response.Body)
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return
			}
			answer = response.Status + " " + string(body)
		}
		select {
		case err := <-p.ended:
			t.Fatalf("the process has ended: %v\n%s", err, p.output)
		case <-deadline:
			t.Fatalf("%s at %s: %s", who, url, answer)
		case <-ticks.C:
		}
	}
}

// stop sends SIGTERM, after which the process ends by itself, in the time that a kubelet gives it.
func (p *process) stop(t testing.TB, grace time.Duration) {
	t.Helper()
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-p.ended:
		if err != nil {
			t.Errorf("%v\n%s", err, p.output)
		}
	case <-time.After(grace):
		t.Errorf("still runs %s after SIGTERM", grace)
	}
}

// startRedis starts the Redis of an overlay and returns its address.
func startRedis(t testing.TB, o *overlay, secrets string) string {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	var redis workload
	for _, w := range o.workloads() {
		if w.GetName() != gatewayName {
			redis = w
		}
	}
	command := slices.Clone(redis.container().Command)
	port := freePort(t)
	command[len(command)-1] += " --bind 127.0.0.1 --port " + port
	p := start(t, o, redis, secrets, command[0], command[1:])
	for deadline := time.After(10 * time.Second); ; {
		if conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", "127.0.0.1:"+port); err == nil { // as its probes do
			_ = conn.Close()
			return "127.0.0.1:" + port
		}
		select {
		case err := <-p.ended:
			t.Fatalf("Redis has ended: %v\n%s", err, p.output)
		case <-deadline:
			t.Fatal("Redis does not listen")
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func freePort(t testing.TB) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err := errors.Join(err, listener.Close()); err != nil {
		t.Fatal(err)
	}
	return port
}
