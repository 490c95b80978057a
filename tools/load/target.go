package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// checkLoopback returns an error for an address that is not on this machine, so that another operator's gateway is not
// loaded by mistake.
func checkLoopback(ctx context.Context, addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("-addr=%s: must be host:port", addr)
	}
	ips, err := net.DefaultResolver.LookupIPAddr(ctx, host)
	if err != nil {
		return fmt.Errorf("-addr=%s: %w", addr, err)
	}
	for _, ip := range ips {
		if !ip.IP.IsLoopback() {
			return fmt.Errorf("-addr=%s is not on this machine (%s); give -allow-remote if it is yours and may be loaded", addr, ip.IP)
		}
	}
	return nil
}

// startSandbox starts a gateway with a sandbox store. It returns the address of its gRPC server, and a function that stops
// the gateway and waits for its end.
func startSandbox(ctx context.Context, program string) (addr string, stop func(), err error) {
	ctx, cancel := context.WithCancel(ctx)
	gateway := exec.CommandContext(ctx, program, "--sandbox", "--log-level=error",
		"--grpc-addr=127.0.0.1:0", "--http-addr=127.0.0.1:0", "--admin-addr=127.0.0.1:0", "--sandbox-addr=127.0.0.1:0")
	gateway.Cancel = func() error { return gateway.Process.Signal(syscall.SIGTERM) }
	gateway.WaitDelay = 10 * time.Second
	output, err := gateway.StdoutPipe()
	if err != nil {
		cancel()
		return "", nil, err
	}
	if err := gateway.Start(); err != nil {
		cancel()
		return "", nil, fmt.Errorf("start the gateway: %w", err)
	}
	stop = func() {
		cancel()
		_ = gateway.Wait() // its exit code is not part of the result
	}
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		if words := strings.Fields(lines.Text()); len(words) == 2 && words[0] == "gRPC" {
			go func() {
				for lines.Scan() { // else the gateway would block on a full pipe
				}
			}()
			return words[1], stop, nil
		}
	}
	stop()
	return "", nil, errors.New("the gateway ended before it printed its gRPC address")
}
