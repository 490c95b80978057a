package e2e

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth/authtest"
)

// member is a gateway behind a proxy. Its addresses stay the same over its restarts.
type member struct{ grpcAddr, httpAddr, adminAddr string }

// newMembers returns gateways with a loopback address each and the same ports, as if on machines of their own.
func newMembers(t testing.TB, n int) []member {
	t.Helper()
	var ports [3]string
	for i := range ports {
		_, ports[i], _ = net.SplitHostPort(freeAddress(t))
	}
	members := make([]member, n)
	for i := range members {
		host := fmt.Sprintf("127.0.0.%d:", i+1)
		members[i] = member{host + ports[0], host + ports[1], host + ports[2]}
	}
	return members
}

// flags returns the flags that give a gateway the addresses.
func (m member) flags() []string {
	return []string{"--grpc-addr=" + m.grpcAddr, "--http-addr=" + m.httpAddr, "--admin-addr=" + m.adminAddr}
}

// givenAddresses are those that freeAddress has returned. A program may listen on such a port later, or on another loopback address.
var givenAddresses sync.Map

// freeAddress returns an address of this machine on which nothing listens, another one each time. Its port is below those that the kernel gives to
// connections, one of which could otherwise take it before the program that is to listen there.
func freeAddress(t testing.TB) string {
	t.Helper()
	for {
		address := fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(20_000))
		listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", address)
		if err != nil && t.Context().Err() != nil {
			t.Fatal(err)
		}
		if err != nil {
			continue
		}
		_ = listener.Close()
		if _, given := givenAddresses.LoadOrStore(address, true); !given {
			return address
		}
	}
}

// reverseProxy is a program with its configuration in deploy/.
type reverseProxy struct {
	name        string
	portForGRPC bool     // gRPC has a port of its own
	faster      []string // pairs of texts of the configuration: as it is, and as tests that wait for it want it
	start       func(t testing.TB, at proxyAddress, members []member, changes []string)
}

// reverseProxies are all programs that deploy/ has a configuration for.
func reverseProxies() []reverseProxy {
	return []reverseProxy{
		{name: "nginx", start: startNginx, faster: []string{"keepalive_timeout 4s", "keepalive_timeout 400ms"}},
		{name: "HAProxy", portForGRPC: true, start: startHAProxy, faster: []string{"inter 2s", "inter 100ms"}},
		{name: "Caddy", start: startCaddy, faster: []string{"health_interval 2s", "health_interval 100ms", "Caddy has no answer of the gateway", "{http.error.message}"}},
	}
}

// proxyAddress is where a proxy listens, and its certificate.
type proxyAddress struct {
	jsonPort, grpcPort string // the same, or not

	certificate, key string // files
	both             string // a file with both
	roots            *x509.CertPool
}

func (a proxyAddress) jsonAddress() string { return "localhost:" + a.jsonPort }
func (a proxyAddress) grpcAddress() string { return "localhost:" + a.grpcPort }

// run starts the proxy with its configuration, in which the pairs of texts are replaced, until the test ends.
func (p reverseProxy) run(t testing.TB, members []member, changes ...string) proxyAddress {
	t.Helper()
	authority := authtest.NewAuthority(t)
	certificate, key := authtest.PEM(t, authority.Server(t))
	_, jsonPort, _ := net.SplitHostPort(freeAddress(t))
	grpcPort := jsonPort
	if p.portForGRPC {
		_, grpcPort, _ = net.SplitHostPort(freeAddress(t))
	}
	at := proxyAddress{
		jsonPort:    jsonPort,
		grpcPort:    grpcPort,
		certificate: writeFile(t, "proxy.crt", string(certificate)),
		key:         writeFile(t, "proxy.key", string(key)),
		both:        writeFile(t, "proxy.pem", string(certificate)+string(key)),
		roots:       x509.NewCertPool(),
	}
	at.roots.AppendCertsFromPEM(authority.PEM())
	p.start(t, at, members, append(p.faster, changes...))
	return at
}

// connect returns a gRPC connection to the proxy.
func (a proxyAddress) connect(t testing.TB) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(a.grpcAddress(), grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS12, RootCAs: a.roots})))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// overJSON returns a client of the JSON gateways behind the proxy. It may use HTTP/2 or not, as clients do.
func (a proxyAddress) overJSON(t testing.TB, http2 bool) jsonClient {
	t.Helper()
	transport := &http.Transport{
		MaxIdleConnsPerHost: 50, ForceAttemptHTTP2: http2,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: a.roots},
	}
	t.Cleanup(transport.CloseIdleConnections)
	return jsonClient{url: "https://" + a.jsonAddress(), http: &http.Client{Transport: transport}}
}

// deployed returns a file of deploy/, in which texts are replaced: pairs of a text, which the file must have, and another.
func deployed(t testing.TB, name string, pairs []string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "..", "..", "deploy", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	text := string(content)
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("deploy/%s has no %q", name, pairs[i])
		}
		text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
	}
	return text
}

// lines returns a line for each gateway.
func lines(members []member, line func(i int, m member) string) string {
	var all strings.Builder
	for i, m := range members {
		all.WriteString(line(i, m) + "\n")
	}
	return all.String()
}

func startNginx(t testing.TB, at proxyAddress, members []member, changes []string) {
	t.Helper()
	site := writeFile(t, "fluentcart-gateway.conf", deployed(t, "nginx/fluentcart-gateway.conf", append([]string{
		"    server 127.0.0.1:9090 max_fails=0;\n", lines(members, func(_ int, m member) string { return "server " + m.grpcAddr + " max_fails=0;" }),
		"    server 127.0.0.1:8080 max_fails=0;\n", lines(members, func(_ int, m member) string { return "server " + m.httpAddr + " max_fails=0;" }),
		"listen 443 ssl http2;", "listen 127.0.0.1:" + at.jsonPort + " ssl http2;",
		"listen [::]:443 ssl http2;", "",
		"/etc/nginx/fluentcart-gateway.crt", at.certificate,
		"/etc/nginx/fluentcart-gateway.key", at.key,
	}, changes...)))
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
  include %[2]s;
}
`, directory, site))
	startProxy(t, at, "nginx", "-p", directory, "-e", "stderr", "-c", config)
}

func startHAProxy(t testing.TB, at proxyAddress, members []member, changes []string) {
	t.Helper()
	_, adminPort, _ := net.SplitHostPort(members[0].adminAddr)
	config := deployed(t, "haproxy/haproxy.cfg", append([]string{
		"  server gateway1 127.0.0.1:9090\n", lines(members, func(i int, m member) string { return fmt.Sprintf("  server gateway%d %s", i+1, m.grpcAddr) }),
		"  server gateway1 127.0.0.1:8080\n", lines(members, func(i int, m member) string { return fmt.Sprintf("  server gateway%d %s", i+1, m.httpAddr) }),
		"port 9091", "port " + adminPort,
		"bind :443", "bind 127.0.0.1:" + at.jsonPort,
		"bind :8443", "bind 127.0.0.1:" + at.grpcPort,
		"/etc/haproxy/fluentcart-gateway.pem", at.both,
	}, changes...))
	startProxy(t, at, "haproxy", "-db", "-f", writeFile(t, "haproxy.cfg", config))
}

func startCaddy(t testing.TB, at proxyAddress, members []member, changes []string) {
	t.Helper()
	grpcAddrs, httpAddrs := make([]string, len(members)), make([]string, len(members))
	for i, m := range members {
		grpcAddrs[i], httpAddrs[i] = "h2c://"+m.grpcAddr, m.httpAddr
	}
	_, adminPort, _ := net.SplitHostPort(members[0].adminAddr)
	directory := t.TempDir()
	config := fmt.Sprintf("{\n\tadmin off\n\tauto_https disable_redirects\n\tstorage file_system %s\n}\n", directory) + deployed(t, "caddy/Caddyfile", append([]string{
		"gateway.example.com {", fmt.Sprintf("https://%s {\n\tbind 127.0.0.1\n\ttls %s %s", at.jsonAddress(), at.certificate, at.key),
		"h2c://127.0.0.1:9090", strings.Join(grpcAddrs, " "),
		"127.0.0.1:8080", strings.Join(httpAddrs, " "),
		"health_port 9091", "health_port " + adminPort,
	}, changes...))
	startProxy(t, at, "caddy", "run", "--adapter", "caddyfile", "--config", writeFile(t, "Caddyfile", config))
}

// startProxy runs a program until the test ends, and waits until it listens.
func startProxy(t testing.TB, at proxyAddress, program string, args ...string) {
	t.Helper()
	needs(t, program)
	command := exec.CommandContext(context.WithoutCancel(t.Context()), program, args...)
	command.Env = append(os.Environ(), "HOME="+t.TempDir())
	var output lockedBuffer
	command.Stderr, command.Stdout = &output, &output
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Signal(syscall.SIGTERM)
		_ = command.Wait() // its status is that of the signal
		if t.Failed() {
			t.Logf("%s: %s", program, output.String())
		}
	})
	if !waitFor(t, 10*time.Second, func() bool {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", "127.0.0.1:"+at.grpcPort)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	}) {
		t.Fatalf("%s does not listen: %s", program, output.String())
	}
}
