// Package gatewaytest runs the gateway's binary for tests of the tools.
package gatewaytest

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The account of the sandbox store, as its package names it.
const (
	SandboxUsername = "admin"
	SandboxPassword = "sand box sand box sand box" //nolint:gosec // valid for the sandbox only
)

// Gateway is a gateway in a process of its own, on free ports.
type Gateway struct {
	URL     string // of the HTTP/JSON gateway
	GRPC    string // address of the gRPC server
	Admin   string // URL of the admin server
	Sandbox string // address of the sandbox store, if it runs one
}

// Build builds the gateway, and returns the path of the binary.
func Build(t testing.TB) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "fluentcart-gateway")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./cmd/fluentcart-gateway") //nolint:gosec // a path of the test
	build.Dir = filepath.Join("..", "..")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return binary
}

// Start runs a gateway until the test ends.
func Start(t testing.TB, binary string, flags ...string) Gateway {
	t.Helper()
	flags = append([]string{"--grpc-addr=127.0.0.1:0", "--http-addr=127.0.0.1:0", "--admin-addr=127.0.0.1:0", "--sandbox-addr=127.0.0.1:0"}, flags...)
	command := exec.CommandContext(context.WithoutCancel(t.Context()), binary, flags...) //nolint:gosec // the binary that Build has built
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	command.Stderr = log
	banner, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	t.Cleanup(func() {
		_ = command.Process.Kill() // it may have ended by itself
		<-ended
		_ = log.Close()
	})
	var started Gateway
	lines := bufio.NewScanner(banner)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "Ctrl-C") {
		switch words := strings.Fields(lines.Text()); {
		case len(words) != 2:
		case words[0] == "JSON":
			started.URL = words[1]
		case words[0] == "gRPC":
			started.GRPC = words[1]
		case words[0] == "admin":
			started.Admin = words[1]
		case words[0] == "sandbox":
			started.Sandbox = words[1]
		}
	}
	go func() {
		for lines.Scan() { // until the pipe is closed
		}
		_ = command.Wait()
		close(ended)
	}()
	if started.URL == "" {
		content, _ := os.ReadFile(log.Name())
		t.Fatalf("the gateway did not start: %s", content)
	}
	return started
}
