package server_test

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/fluentcart-gateway/fluentcart-gateway/service"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease/redistest"
)

// twoCallers are callers with tokens, and the Authorization header of each.
func twoCallers(t testing.TB) (callers auth.Authenticator, greedy, modest string) {
	t.Helper()
	var lines, headers []string
	for _, name := range []string{"greedy", "modest"} {
		token, line, err := auth.NewToken(name, nil)
		if err != nil {
			t.Fatal(err)
		}
		lines, headers = append(lines, line), append(headers, "Bearer "+token.Reveal())
	}
	tokens, err := auth.ParseTokens([]byte(strings.Join(lines, "\n")), auth.Permissions{})
	if err != nil {
		t.Fatal(err)
	}
	return auth.Bearers{Tokens: func() *auth.Tokens { return tokens }}, headers[0], headers[1]
}

// redisLeases returns leases through a Redis server of the test's own, which grants leases by then.
func redisLeases(t testing.TB, limits lease.Limits) *lease.Redis {
	t.Helper()
	server := redistest.Start(t)
	leases, err := lease.NewRedis(lease.RedisConfig{
		URL: server.URL, Store: "shop.example.com", Term: 2 * time.Second, SettleTime: 100 * time.Millisecond, Limits: limits,
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = leases.Close(context.WithoutCancel(t.Context())) })
	return leases
}

// A caller that floods three customers takes from another caller neither its share of the waiters for one of them nor its
// share of their lease.
func TestCallerThatFloodsCustomersLeavesOthersTheirShare(t *testing.T) {
	const queue = 32
	limits := lease.LimitsOf(queue)
	for _, row := range []struct {
		name   string
		leases func(t *testing.T) lease.Locker
	}{
		{"leases in one process", func(*testing.T) lease.Locker { return lease.NewLocal(limits) }},
		{"leases through Redis", func(t *testing.T) lease.Locker { return redisLeases(t, limits) }},
	} {
		t.Run(row.name, func(t *testing.T) {
			callers, greedy, modest := twoCallers(t)
			g := start(t, options{callers: callers, config: service.Config{Leases: row.leases(t), MaxQueue: queue}, wrap: slowly})
			waitUntil(t, func() bool { // until Redis grants leases
				_, err := g.grpc.UpdateCustomer(withToken(t.Context(), modest), moveTo(1, rand.Text()))
				return err == nil
			})
			ctx, stop := context.WithCancel(withToken(t.Context(), greedy))
			var flood sync.WaitGroup
			var rejected atomic.Int64
			for i := range 90 { // as many calls as a connection has streams, without those of the modest caller
				flood.Go(func() {
					for ctx.Err() == nil {
						_, err := g.grpc.UpdateCustomer(ctx, moveTo([]int64{1, 2, 4}[i%3], rand.Text()))
						if err != nil && ctx.Err() == nil {
							rejected.Add(1)
							if got := errorOutcome(t, status.Convert(err)); got.Code != "RESOURCE_EXHAUSTED" || got.Reason != "OVERLOADED" || got.WriteState != "not_sent" || got.RetryAfter == "" {
								t.Errorf("the greedy caller got %+v", got)
							}
						}
					}
				})
			}
			waitUntil(t, func() bool { return rejected.Load() > 100 })
			var calls sync.WaitGroup
			for i := range limits.Customer / 2 { // its share
				calls.Go(func() {
					for range 5 {
						if i%2 == 0 {
							if _, err := g.grpc.UpdateCustomer(withToken(t.Context(), modest), moveTo(4, rand.Text())); err != nil {
								t.Errorf("the modest caller got %v", err)
							}
							continue
						}
						response, body := g.send(t, http.MethodPut, "/v1/customers/4", `{"city":"`+rand.Text()+`"}`, http.Header{"Authorization": {modest}})
						if response.StatusCode != http.StatusOK {
							t.Errorf("the modest caller got %s: %s", response.Status, body)
						}
					}
				})
			}
			calls.Wait()
			stop()
			flood.Wait()
		})
	}
}

// slowly lets the store take 5 ms for a request.
func slowly(store http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-time.After(5 * time.Millisecond)
		store.ServeHTTP(w, r)
	})
}

func withToken(ctx context.Context, header string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "authorization", header)
}

// The caller of an evicted waiter learns when it may come back, and the waiter's place is free.
func TestEvictionFromTheQueueOfACustomerIsReported(t *testing.T) {
	const queue = 32
	limits := lease.LimitsOf(queue)
	callers, greedy, modest := twoCallers(t)
	leases := lease.NewLocal(limits)
	g := start(t, options{callers: callers, config: service.Config{Leases: leases, MaxQueue: queue}})
	held, err := leases.Acquire(t.Context(), 4, "test")
	if err != nil {
		t.Fatal(err)
	}
	outcomes := make(chan outcome, limits.Customer)
	call := func(authorization string) {
		response, err := g.grpc.UpdateCustomer(withToken(t.Context(), authorization), moveTo(4, rand.Text()))
		outcomes <- grpcOutcome(t, response, err)
	}
	for range limits.Customer {
		go call(greedy)
	}
	waitUntil(t, func() bool { return leases.QueueLength(4) == 1+limits.Customer })
	go call(modest)
	got := <-outcomes
	if got.Code != "RESOURCE_EXHAUSTED" || got.Reason != "OVERLOADED" || got.WriteState != "not_sent" || got.RetryAfter != "1" || !strings.HasPrefix(got.message, "evicted from the queue") {
		t.Errorf("the evicted call got %+v", got)
	}
	waitUntil(t, func() bool {
		return g.service.Load().Admitted == limits.Customer && leases.QueueLength(4) == 1+limits.Customer
	})
	held.Release()
	for range limits.Customer {
		if got := <-outcomes; got.Code != "OK" {
			t.Errorf("a call that waited got %+v", got)
		}
	}
}
