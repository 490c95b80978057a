package server_test

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease"
)

// moveTo asks for another city.
func moveTo(customer int64, city string) *customerv1.UpdateCustomerRequest {
	return &customerv1.UpdateCustomerRequest{CustomerId: customer, Customer: &customerv1.Customer{City: proto.String(city)}}
}

// overBothDoors makes one call through each door, and tells whether they come out the same and as wanted.
func (g *gateway) overBothDoors(t *testing.T, want outcome) {
	t.Helper()
	_, err := g.grpc.UpdateCustomer(t.Context(), moveTo(1, "Lyon"))
	got := failed(t, status.Convert(err))
	response, body := g.send(t, http.MethodPut, "/v1/customers/1", `{"city":"Lyon"}`, nil)
	overJSON := jsonOutcome(t, response, body)
	for _, door := range []outcome{got, overJSON} {
		if door.Code != want.Code || door.Reason != want.Reason || door.WriteState != want.WriteState || door.RetryAfter != want.RetryAfter {
			t.Errorf("got %+v", door)
		}
	}
	if overJSON.HTTP != want.HTTP {
		t.Errorf("HTTP status %d, want %d", overJSON.HTTP, want.HTTP)
	}
}

func (g *gateway) methodsSent() string {
	var methods []string
	for _, request := range g.behind.take() {
		methods = append(methods, request.method)
	}
	return strings.Join(methods, " ")
}

// oneCaller takes all calls for those of one caller, so that none is evicted for the fair share of another.
type oneCaller struct{ auth.Anyone }

func (oneCaller) Authenticate(auth.Presented) (*auth.Caller, error) {
	return &auth.Caller{Name: "one", Authenticated: true, Share: "one", May: auth.Permissions{Status: true}}, nil
}

func TestOverloadIsToldAtOnce(t *testing.T) {
	begun, finish := make(chan struct{}, 1), make(chan struct{})
	g := start(t, options{callers: oneCaller{}, config: service.Config{MaxInFlight: 1, MaxQueue: 1}, wrap: func(store http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			select {
			case begun <- struct{}{}:
			default:
			}
			<-finish
			store.ServeHTTP(w, r)
		})
	}})
	done := make(chan error, 2)
	for _, customer := range []int64{2, 4} {
		go func() {
			_, err := g.grpc.UpdateCustomer(context.WithoutCancel(t.Context()), moveTo(customer, "Bonn"))
			done <- err
		}()
	}
	<-begun
	waitUntil(t, func() bool { return g.service.Load().Admitted == 2 })
	g.overBothDoors(t, outcome{Code: "RESOURCE_EXHAUSTED", HTTP: http.StatusTooManyRequests, Reason: "OVERLOADED", WriteState: "not_sent", RetryAfter: "1"})
	close(finish)
	for range 2 {
		if err := <-done; err != nil {
			t.Errorf("one that was let in: %v", err)
		}
	}
}

// What the rate does not allow in time is refused at once, and what it allows later waits.
func TestRateTowardsTheStoreIsKept(t *testing.T) {
	g := start(t, options{rate: 4, defaultTimeout: 2 * time.Second})
	for range 2 { // the four requests that may go at once
		if _, err := g.grpc.UpdateCustomer(t.Context(), moveTo(1, rand.Text())); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	begun := time.Now()
	_, err := g.grpc.UpdateCustomer(ctx, moveTo(1, "Lyon"))
	if got := failed(t, status.Convert(err)); got.Reason != "OVERLOADED" || got.WriteState != "not_sent" || time.Since(begun) > 200*time.Millisecond {
		t.Errorf("got %v after %s", err, time.Since(begun))
	}
	if _, err := g.grpc.UpdateCustomer(t.Context(), moveTo(1, "Lyon")); err != nil || time.Since(begun) < 250*time.Millisecond {
		t.Errorf("got %v after %s", err, time.Since(begun))
	}
}

// waitUntil waits for a condition that comes true soon.
func waitUntil(t *testing.T, condition func() bool) {
	t.Helper()
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	for end := time.Now().Add(10 * time.Second); !condition(); <-again.C {
		if time.Now().After(end) {
			t.Fatal("waited in vain")
		}
	}
}

// troubled are leases that go wrong.
type troubled struct {
	lease.Lease

	acquire, check error
}

func (l troubled) Acquire(context.Context, int64) (lease.Lease, error) { return l, l.acquire }
func (troubled) QueueLength(int64) int                                 { return 0 }
func (troubled) LastGrant(context.Context, int64) (lease.Grant, error) { return lease.Held, nil }
func (troubled) Renew(context.Context) error                           { return nil }
func (l troubled) Check() error                                        { return l.check }
func (troubled) Release()                                              {}

func TestNothingIsSentWithoutALease(t *testing.T) {
	for _, row := range []struct {
		name   string
		leases troubled
		want   outcome
		sent   string
	}{
		{
			"Redis does not answer",
			troubled{acquire: &lease.UnavailableError{Err: errors.New("silence")}},
			outcome{Code: "UNAVAILABLE", HTTP: 503, Reason: "LEASES_UNAVAILABLE", WriteState: "not_sent", RetryAfter: "1"},
			"",
		},
		{
			"Redis has started anew",
			troubled{acquire: &lease.UnavailableError{RetryAfter: 7 * time.Second}},
			outcome{Code: "UNAVAILABLE", HTTP: 503, Reason: "LEASES_UNAVAILABLE", WriteState: "not_sent", RetryAfter: "7"},
			"",
		},
		{
			"the lease has expired since the read",
			troubled{check: lease.ErrExpired},
			outcome{Code: "UNAVAILABLE", HTTP: 503, Reason: "LEASE_EXPIRED", WriteState: "not_sent", RetryAfter: "1"},
			"GET GET",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			g := start(t, options{config: service.Config{Leases: row.leases}})
			g.overBothDoors(t, row.want)
			if sent := g.methodsSent(); sent != row.sent {
				t.Errorf("sent %q, want %q", sent, row.sent)
			}
		})
	}
}

// Customers who are locked, however many, leave room for the others.
func TestLockedCustomersDoNotShutOutTheOthers(t *testing.T) {
	leases := lease.NewLocal()
	g := start(t, options{config: service.Config{Leases: leases, MaxQueue: 32}})
	var waiting sync.WaitGroup
	ctx, leave := context.WithCancel(t.Context())
	for customer := range int64(20) {
		held, err := leases.Acquire(t.Context(), 100+customer)
		if err != nil {
			t.Fatal(err)
		}
		defer held.Release()
		for range 5 {
			waiting.Go(func() { _, _ = g.grpc.UpdateCustomer(ctx, moveTo(100+customer, "Lyon")) })
		}
	}
	waitUntil(t, func() bool { return g.service.Load().Admitted >= 16 })
	for range 20 {
		if _, err := g.grpc.UpdateCustomer(t.Context(), moveTo(1, rand.Text())); err != nil {
			t.Error(err)
		}
	}
	leave()
	waiting.Wait()
}

// clumsy are leases that break what they touch.
type clumsy struct{ lease.Locker }

func (l clumsy) Acquire(ctx context.Context, customer int64) (lease.Lease, error) {
	held, err := l.Locker.Acquire(ctx, customer)
	return brittle{held}, err
}

type brittle struct{ lease.Lease }

func (brittle) Check() error { panic("secret-canary") }

// A write runs in a goroutine of its own, in which a panic would end the gateway.
func TestPanicDuringAWriteIsSurvived(t *testing.T) {
	leases := lease.NewLocal()
	g := start(t, options{config: service.Config{Leases: clumsy{leases}, SettleTime: 50 * time.Millisecond}})
	for range 2 {
		_, err := g.grpc.UpdateCustomer(t.Context(), moveTo(1, "Lyon"))
		if got := failed(t, status.Convert(err)); got.Code != "INTERNAL" || got.Reason != "GATEWAY_FAULT" || got.WriteState != "unknown" || strings.Contains(got.message, "canary") {
			t.Errorf("got %v", err)
		}
	}
	waitUntil(t, func() bool { return leases.QueueLength(1) == 0 })
	if log := g.log.String(); !strings.Contains(log, `"panic":"string"`) || !strings.Contains(log, "turns_test.go") || strings.Contains(log, "canary") {
		t.Errorf("the log lacks the panic and where it was, or has what it said:\n%s", log)
	}
}

// counted are leases that break when a write may still land, and count how often they are given back.
type counted struct {
	troubled

	released *atomic.Int64
}

func (l counted) Acquire(context.Context, int64) (lease.Lease, error) { return l, nil }
func (counted) Quarantine(time.Duration)                              { panic("secret-canary") }
func (l counted) Release()                                            { l.released.Add(1) }

// A write of which nothing is known keeps its lease beyond the end of the gateway, after a panic too.
func TestPanicDoesNotGiveBackTheLeaseOfAWriteThatMayLand(t *testing.T) {
	var released atomic.Int64
	g := start(t, options{
		config: service.Config{Leases: counted{released: &released}, SettleTime: time.Hour}, drain: 50 * time.Millisecond,
		wrap: answering(map[string]*rawAnswer{http.MethodPut: {Cut: true}}),
	})
	_, err := g.grpc.UpdateCustomer(t.Context(), moveTo(1, "Lyon"))
	if got := failed(t, status.Convert(err)); got.Reason != "GATEWAY_FAULT" || got.WriteState != "unknown" {
		t.Errorf("got %v", err)
	}
	g.stopNow(t)
	if released.Load() != 0 {
		t.Error("the lease was given back")
	}
}

// After eight failures in a row nobody waits for a store that does not work.
func TestStoreThatFailsIsLeftAlone(t *testing.T) {
	var asked atomic.Int64
	g := start(t, options{wrap: func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			asked.Add(1)
			w.WriteHeader(http.StatusBadGateway)
		})
	}})
	waitUntil(t, func() bool {
		before := asked.Load()
		_, err := g.grpc.UpdateCustomer(t.Context(), moveTo(1, "Lyon"))
		return status.Code(err) == codes.Unavailable && asked.Load() == before
	})
	g.overBothDoors(t, outcome{Code: "UNAVAILABLE", HTTP: http.StatusServiceUnavailable, Reason: "STORE_UNAVAILABLE", WriteState: "not_sent", RetryAfter: "1"})
}

// A caller's own deadline, over gRPC too, brings the gateway's word and not just the end of the call.
func TestCallersWithADeadlineHearWhatBecameOfTheirCall(t *testing.T) {
	for method, want := range map[string]string{
		http.MethodGet: "DEADLINE_EXCEEDED DEADLINE_PASSED not_sent",
		http.MethodPut: "DEADLINE_EXCEEDED WRITE_OUTCOME_UNKNOWN unknown",
	} {
		t.Run(method, func(t *testing.T) {
			g := start(t, options{
				config:     service.Config{SettleTime: 400 * time.Millisecond},
				putTimeout: 400 * time.Millisecond,
				wrap:       answering(map[string]*rawAnswer{method: {Hang: true}}),
			})
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			_, err := g.grpc.UpdateCustomer(ctx, moveTo(1, "Lyon"))
			if ctx.Err() != nil {
				t.Error("the answer came after the deadline")
			}
			got := failed(t, status.Convert(err))
			if diff := cmp.Diff(want, got.Code+" "+got.Reason+" "+got.WriteState); diff != "" {
				t.Errorf("outcome (-want +got):\n%s", diff)
			}
		})
	}
}

// Stopping waits for a write whose caller has left, for as long as the drain time lasts, and says what is lost then.
func TestStoppingWaitsForWritesWithoutCallers(t *testing.T) {
	for _, row := range []struct {
		name  string
		drain time.Duration
		log   string
	}{
		{"a write that ends in time", 10 * time.Second, `"msg":"outcome of a write whose caller is gone","customer_id":1,"write_state":"written","request_id":"`},
		{"a write that does not", 50 * time.Millisecond, `"msg":"stopped with a write in doubt; it may still be applied","customer_id":1`},
	} {
		t.Run(row.name, func(t *testing.T) {
			begun, finish := make(chan struct{}), make(chan struct{})
			g := start(t, options{drain: row.drain, wrap: func(store http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.Method == http.MethodPut {
						close(begun)
						<-finish
					}
					store.ServeHTTP(w, r)
				})
			}})
			ctx, leave := context.WithCancel(t.Context())
			go func() {
				<-begun
				leave()
			}()
			if _, err := g.grpc.UpdateCustomer(ctx, moveTo(1, "Lyon")); status.Code(err) != codes.Canceled {
				t.Errorf("got %v", err)
			}
			waitUntil(t, func() bool { return strings.Contains(g.log.String(), "WRITE_OUTCOME_UNKNOWN") })
			g.stop()
			if row.drain > time.Second {
				close(finish)
			} else {
				defer close(finish)
			}
			g.stopNow(t)
			if log := g.log.String(); !strings.Contains(log, row.log) {
				t.Errorf("the log lacks %s:\n%s", row.log, log)
			}
		})
	}
}

func TestCallersAreKnownByTheirConnection(t *testing.T) {
	names := make(chan string, 1)
	g := &gateway{log: &lockedBuffer{}}
	g.serve(t, scripted{update: func(ctx context.Context, _ *customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error) {
		names <- auth.FromContext(ctx).Share
		return &customerv1.UpdateCustomerResponse{}, nil
	}}, time.Second)
	if _, err := g.grpc.UpdateCustomer(t.Context(), moveTo(1, "Lyon")); err != nil {
		t.Fatal(err)
	}
	if name := <-names; !strings.HasPrefix(name, "tcp 127.0.0.1:") {
		t.Errorf("over gRPC: %q", name)
	}
	g.send(t, http.MethodPut, "/v1/customers/1", `{}`, nil)
	if name := <-names; name != "ip 127.0.0.1" {
		t.Errorf("over JSON: %q", name)
	}
}
