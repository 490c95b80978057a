package lease_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease/redistest"
)

// A server or proxy that does not know the AUTH command repeats its arguments, the password among them, in its error.
func TestRedisPasswordIsNeitherReturnedNorLogged(t *testing.T) {
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			for lines := bufio.NewScanner(conn); lines.Scan(); {
				if strings.HasPrefix(lines.Text(), "*") { // the first line of a command
					_, _ = io.WriteString(conn, "-ERR unknown command 'AUTH', with args beginning with: 'user' 'canary'\r\n")
				}
			}
			_ = conn.Close()
		}
	}()
	var log lockedBuffer
	locker, err := lease.NewRedis(lease.RedisConfig{
		URL: "redis://user@" + listener.Addr().String(), Password: func() string { return "canary" }, Store: "shop.example.com", Term: time.Second, SettleTime: time.Second,
		Logger: slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = locker.Close(t.Context())
		_ = listener.Close()
		<-ended
	})
	_, err = locker.Acquire(t.Context(), 1, "a")
	var unavailable *lease.UnavailableError
	if !errors.As(err, &unavailable) || !strings.Contains(unavailable.Err.Error(), "canary") {
		t.Fatalf("the server must repeat the password, and answers: %v", err)
	}
	if strings.Contains(err.Error(), "canary") || !strings.Contains(err.Error(), "unknown command 'AUTH'") {
		t.Errorf("the error is %v", err)
	}

	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { locker.Run(ctx) })
	waitFor(t, func() bool { return strings.Contains(log.String(), "unknown command 'AUTH'") })
	stop()
	running.Wait()
	if strings.Contains(log.String(), "canary") {
		t.Errorf("the log is %s", log.String())
	}
}

// lockedBuffer is a log that can be read while it is written.
type lockedBuffer struct {
	mu      sync.Mutex
	written strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.written.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.written.String()
}

// Each connection reads the password, so that it can be replaced while the gateway runs.
func TestRedisPasswordCanBeReplaced(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	options, err := redis.ParseURL(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	operator := redis.NewClient(options)
	t.Cleanup(func() { _ = operator.Close() })
	require := func(password string) {
		t.Helper()
		if err := operator.ConfigSet(t.Context(), "requirepass", password).Err(); err != nil {
			t.Fatal(err)
		}
	}
	require("first")
	var password atomic.Value
	password.Store("first")
	locker := newRedisOf(t, lease.RedisConfig{URL: server.URL, Password: func() string { return password.Load().(string) }, Term: term, SettleTime: settleTime})
	take(t, locker, 1).Release()

	require("second") // the operator's own connection stays authenticated
	if err := operator.ClientKillByFilter(t.Context(), "TYPE", "normal", "SKIPME", "yes").Err(); err != nil {
		t.Fatal(err)
	}
	if held, err := locker.Acquire(t.Context(), 1, "a"); err == nil {
		held.Release()
		t.Error("a lease was granted with the old password")
	}
	password.Store("second")
	take(t, locker, 1).Release()
}
