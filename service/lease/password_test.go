package lease_test

import (
	"bufio"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease/redistest"
)

// A server or proxy that does not know the command that logs in repeats its arguments.
func TestPasswordOfRedisIsNotRepeated(t *testing.T) {
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
				if strings.HasPrefix(lines.Text(), "*") { // each command begins so
					_, _ = io.WriteString(conn, "-ERR unknown command 'AUTH', with args beginning with: 'user' 'canary'\r\n")
				}
			}
			_ = conn.Close()
		}
	}()
	locker, err := lease.NewRedis(lease.RedisConfig{
		URL: "redis://user@" + listener.Addr().String(), Password: func() string { return "canary" }, Store: "shop.example.com", Term: time.Second, SettleTime: time.Second, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = locker.Close(t.Context())
		_ = listener.Close()
		<-ended
	})
	_, err = locker.Acquire(t.Context(), 1)
	var unavailable *lease.UnavailableError
	if !errors.As(err, &unavailable) || !strings.Contains(unavailable.Err.Error(), "canary") {
		t.Fatalf("the server is not as it should be: %v", err)
	}
	if strings.Contains(err.Error(), "canary") || !strings.Contains(err.Error(), "unknown command 'AUTH'") {
		t.Errorf("told %v", err)
	}
}

// The password is asked for with each connection, so that a new one needs no new gateway.
func TestPasswordOfRedisCanBeReplaced(t *testing.T) {
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

	require("second") // the operator's own connection stays what it is
	if err := operator.ClientKillByFilter(t.Context(), "TYPE", "normal", "SKIPME", "yes").Err(); err != nil {
		t.Fatal(err)
	}
	if held, err := locker.Acquire(t.Context(), 1); err == nil {
		held.Release()
		t.Error("a lease was given with a password that was replaced")
	}
	password.Store("second")
	take(t, locker, 1).Release()
}
