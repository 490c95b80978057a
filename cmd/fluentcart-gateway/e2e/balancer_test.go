package e2e

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// member is a gateway behind a balancer. Its addresses stay the same over its restarts.
type member struct{ grpcAddr, httpAddr, adminAddr string }

// flags returns the flags that give a gateway the addresses.
func (m member) flags() []string {
	return []string{"--grpc-addr=" + m.grpcAddr, "--http-addr=" + m.httpAddr, "--admin-addr=" + m.adminAddr}
}

// freeAddress returns an address of this machine on which nothing listens.
func freeAddress(t testing.TB) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

// startNginx balances over the HTTP/JSON gateways. Without its commercial modules, nginx notices that a gateway stops only by
// a refused connection, after which it takes another one. It does not remember (max_fails=0): for a second, the shortest time that
// it takes, it would leave out a gateway that has been restarted, while the next one stops.
func startNginx(t testing.TB, members []member) (url string) {
	t.Helper()
	address := freeAddress(t)
	var servers strings.Builder
	for _, m := range members {
		fmt.Fprintf(&servers, "    server %s max_fails=0;\n", m.httpAddr)
	}
	directory := t.TempDir()
	config := writeFile(t, "nginx.conf", fmt.Sprintf(`
daemon off;
worker_processes 1;
pid %[1]s/nginx.pid;
error_log stderr crit;
events { worker_connections 512; }
http {
  access_log off;
  client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/fastcgi; uwsgi_temp_path %[1]s/uwsgi; scgi_temp_path %[1]s/scgi;
  upstream gateways {
%[2]s    keepalive 16;
  }
  server {
    listen %[3]s;
    location / {
      proxy_pass http://gateways;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }
  }
}
`, directory, servers.String(), address))
	startBalancer(t, address, "nginx", "-p", directory, "-c", config)
	return "http://" + address
}

// startHAProxy balances over the HTTP/JSON gateways that are ready.
func startHAProxy(t testing.TB, members []member) (url string) {
	t.Helper()
	address := freeAddress(t)
	var servers strings.Builder
	for i, m := range members {
		_, adminPort, _ := net.SplitHostPort(m.adminAddr)
		fmt.Fprintf(&servers, "  server gateway%d %s check port %s inter 100ms fall 1 rise 1\n", i, m.httpAddr, adminPort)
	}
	config := writeFile(t, "haproxy.cfg", fmt.Sprintf(`
defaults
  mode http
  timeout connect 2s
  timeout client 30s
  timeout server 30s
frontend json
  bind %s
  default_backend gateways
backend gateways
  balance roundrobin
  option httpchk GET /readyz
  retry-on conn-failure
  option redispatch
%s`, address, servers.String()))
	startBalancer(t, address, "haproxy", "-db", "-f", config)
	return "http://" + address
}

// startBalancer runs a program until the test ends, and waits until it listens.
func startBalancer(t testing.TB, address, program string, args ...string) {
	t.Helper()
	needs(t, program)
	command := exec.CommandContext(context.WithoutCancel(t.Context()), program, args...)
	var output lockedBuffer
	command.Stderr, command.Stdout = &output, &output
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Signal(syscall.SIGTERM)
		_ = command.Wait() // its status is that of the signal
	})
	if !waitFor(t, 10*time.Second, func() bool {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	}) {
		t.Fatalf("%s does not listen: %s", program, output.String())
	}
}
