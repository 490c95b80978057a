package kubernetes

import (
	"bytes"
	"context"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

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

// freePort returns a port of this machine on which nothing listens. Its port is below those that the kernel gives to
// connections, one of which could otherwise take it before the program that is to listen there.
func freePort(t testing.TB) string {
	t.Helper()
	for {
		port := strconv.Itoa(10_000 + rand.IntN(20_000))
		listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:"+port)
		if err != nil && t.Context().Err() != nil {
			t.Fatal(err)
		}
		if err == nil {
			_ = listener.Close()
			return port
		}
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
