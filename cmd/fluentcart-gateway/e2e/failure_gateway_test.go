package e2e

import (
	"context"
	"crypto/x509"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"google.golang.org/grpc/codes"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth/authtest"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease/redistest"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

func noCredentials(t *testing.T) (*process, func()) {
	_, store := startStore(t, sandbox.Config{})
	tokens := filepath.Join(t.TempDir(), "tokens")
	if printed, err := runGateway(t, "token", "crm", "--token-file="+tokens); err != nil {
		t.Fatal(printed, err)
	}
	gateway := startGateway(t, store, "--caller-auth=token", "--token-file="+tokens)
	return gateway, func() { update(t, gateway.customers, 1, 0) }
}

// connectionsEvicted sends PING frames until the connection is closed.
func connectionsEvicted(t *testing.T) (*process, func()) {
	_, store := startStore(t, sandbox.Config{})
	gateway := startGateway(t, store)
	return gateway, func() {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", gateway.grpcAddr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close() //nolint:errcheck // the gateway has closed it
		if err := floods["PING"](t.Context(), conn); err == nil {
			t.Error("the flood is endless")
		}
	}
}

// redisWith is a Redis with a client that may do everything.
type redisWith struct {
	*redistest.Server
}

func (r *redisWith) command(t testing.TB, arguments ...any) {
	t.Helper()
	options, err := redis.ParseURL(r.URL)
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(options)
	defer client.Close() //nolint:errcheck // it is not needed any more
	if err := client.Do(context.WithoutCancel(t.Context()), arguments...).Err(); err != nil {
		t.Fatal(err)
	}
}

// redisFails does something to the Redis of a gateway that is ready, and then makes an update.
func redisFails(fail func(*testing.T, *redisWith)) provocation {
	return func(t *testing.T) (*process, func()) {
		server := &redisWith{redistest.Start(t)}
		_, store := startStore(t, sandbox.Config{})
		gateway := startGateway(t, store, append(shortTimes, "--redis-url="+server.URL)...)
		gateway.becomes(t, 200, "ready")
		return gateway, func() {
			fail(t, server)
			update(t, gateway.customers, 1, 0)
		}
	}
}

func redisRefusesPassword(t *testing.T) (*process, func()) {
	server := redistest.Start(t)
	server.RestartWithPassword(t, "right")
	_, store := startStore(t, sandbox.Config{})
	gateway := startGateway(t, store, "--redis-url="+server.URL, "--redis-password-file="+writeFile(t, "password", "wrong"))
	update(t, gateway.customers, 1, 0)
	return gateway, nil
}

func certificateExpired(t *testing.T) (*process, func()) {
	if _, err := gatewayBinary(); err != nil { // before the certificate: it may have to be built
		t.Fatal(err)
	}
	soon := func(c *x509.Certificate) { c.NotAfter = time.Now().Add(8 * time.Second) } // a gateway does not start with an expired one
	certificate, key := authtest.PEM(t, authtest.NewAuthority(t).Server(t, soon))
	_, store := startStore(t, sandbox.Config{})
	return startGateway(t, store, "--tls-cert="+writeFile(t, "certificate", string(certificate)), "--tls-key="+writeFile(t, "key", string(key))), nil
}

func fileNotUsable(t *testing.T) (*process, func()) {
	_, store := startStore(t, sandbox.Config{})
	password := writeFile(t, "password", sandbox.AdminPassword)
	gateway := startGateway(t, store, "--store-password-file="+password)
	return gateway, func() {
		if err := os.WriteFile(password, nil, 0o600); err != nil {
			t.Error(err)
		}
	}
}

func collectorFails(t *testing.T) (*process, func()) {
	collector := startCollector(t, "127.0.0.1:0")
	collector.refuse = codes.PermissionDenied
	_, store := startStore(t, sandbox.Config{})
	binary, err := gatewayBinary()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(context.WithoutCancel(t.Context()), binary)
	command.Env = append(os.Environ(), "OTEL_BSP_SCHEDULE_DELAY=100") // milliseconds between two batches
	gateway := startProcess(t, command, store, []string{"--otlp-endpoint=http://" + collector.address})
	return gateway, func() { update(t, gateway.customers, 1, 0) }
}

func stops(t *testing.T) (*process, func()) {
	_, store := startStore(t, sandbox.Config{})
	gateway := startGateway(t, store, "--drain-delay=30s")
	return gateway, func() {
		if err := gateway.command.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
	}
}
