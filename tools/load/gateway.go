package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// gateway is a gateway that was started here.
type gateway struct {
	grpc, http string // host:port
	stop       func() // ends it, and returns when it has ended: no write is in flight then
}

// startGateway starts a gateway in front of the store, unless ctx is done before it serves. It logs errors only, to stderr,
// and its flags are those given here, whatever the environment of this process has for gateways.
func startGateway(starting context.Context, program string, more []string, storeURL string, stderr io.Writer) (*gateway, error) {
	directory, err := os.MkdirTemp("", "load")
	if err != nil {
		return nil, err
	}
	password := filepath.Join(directory, "password")
	if err := os.WriteFile(password, []byte(sandbox.AdminPassword), 0o600); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(starting))
	process := exec.CommandContext(ctx, program, append([]string{ //nolint:gosec // the program that the command line names
		"--store-url=" + storeURL, "--store-username=" + sandbox.AdminUsername, "--store-password-file=" + password, "--log-level=error", "--log-format=json",
		"--grpc-addr=127.0.0.1:0", "--http-addr=127.0.0.1:0", "--admin-addr=127.0.0.1:0",
	}, more...)...)
	process.Env = slices.DeleteFunc(os.Environ(), func(variable string) bool { return strings.HasPrefix(variable, "FLUENTCART_GATEWAY_") })
	process.SysProcAttr = ownGroup()
	process.Cancel = func() error { return process.Process.Signal(syscall.SIGTERM) }
	process.WaitDelay = 40 * time.Second // its default --drain-timeout is 25 s
	g := &gateway{}
	output, err := process.StderrPipe()
	if err == nil {
		err = process.Start()
	}
	if err != nil {
		cancel()
		_ = os.RemoveAll(directory)
		return nil, fmt.Errorf("-gateway=%s: %w; `make load` builds it", program, err)
	}
	g.stop = func() {
		cancel()
		_ = process.Wait() // its exit code is not part of the result
		_ = os.RemoveAll(directory)
	}
	defer context.AfterFunc(starting, cancel)()
	lines := bufio.NewReader(output)
	for {
		line, err := lines.ReadBytes('\n')
		var start struct{ Msg, GRPC, HTTP string }
		if json.Unmarshal(line, &start) == nil && start.Msg == "started" {
			g.grpc, g.http = start.GRPC, start.HTTP
			go func() { _, _ = io.Copy(stderr, lines) }()
			return g, nil
		}
		_, _ = stderr.Write(line)
		if err != nil {
			break
		}
	}
	g.stop()
	return nil, fmt.Errorf("-gateway=%s ended before it printed its addresses", program)
}

// ownGroup keeps a Ctrl-C from the child: this program ends it when the calls in flight have ended.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
