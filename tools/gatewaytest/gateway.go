// Package gatewaytest runs the gateway's binary for tests of the tools.
package gatewaytest

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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
	Sandbox string // URL of the sandbox store, if it runs one
}

// Build builds the gateway, and returns the path of the binary. CI has built it, and names it in GATEWAY_BINARY.
func Build(t testing.TB) string {
	t.Helper()
	if built := os.Getenv("GATEWAY_BINARY"); built != "" {
		return built
	}
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
	flags = append([]string{"--grpc-addr=127.0.0.1:0", "--http-addr=127.0.0.1:0", "--admin-addr=127.0.0.1:0", "--sandbox-addr=127.0.0.1:0", "--log-format=json"}, flags...)
	command := exec.CommandContext(context.WithoutCancel(t.Context()), binary, flags...) //nolint:gosec // the binary that Build has built
	log, err := command.StderrPipe()
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
	})
	var start struct{ Msg, GRPC, HTTP, Admin, Sandbox string }
	var before strings.Builder
	lines := bufio.NewScanner(log)
	for start.Msg != "started" && lines.Scan() {
		before.WriteString(lines.Text() + "\n")
		_ = json.Unmarshal(lines.Bytes(), &start) // the error of a wrong flag is no JSON
	}
	go func() {
		_, _ = io.Copy(io.Discard, log) // until the pipe is closed
		_ = command.Wait()
		close(ended)
	}()
	if start.Msg != "started" {
		t.Fatalf("the gateway did not start: %s", before.String())
	}
	started := Gateway{URL: "http://" + start.HTTP, GRPC: start.GRPC, Admin: "http://" + start.Admin, Sandbox: "http://" + start.Sandbox}
	if slices.ContainsFunc(flags, func(flag string) bool { return strings.HasPrefix(flag, "--tls-cert=") }) {
		started.URL = "https://" + start.HTTP
	}
	return started
}

// FreeAddress returns an address of this machine on which nothing listens. Its port is below those that the kernel gives to
// connections, one of which could otherwise take it before the program that is to listen there.
func FreeAddress(t testing.TB) string {
	t.Helper()
	for {
		address := fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(20_000)) //nolint:gosec // not a secret
		listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", address)
		if err != nil && t.Context().Err() != nil {
			t.Fatal(err)
		}
		if err == nil {
			_ = listener.Close()
			return address
		}
	}
}
