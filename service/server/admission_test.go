package server_test

import (
	"context"
	"crypto/rand"
	"net/http"
	"strings"
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
)

// moveTo returns an update of the city.
func moveTo(customer int64, city string) *customerv1.UpdateCustomerRequest {
	return &customerv1.UpdateCustomerRequest{CustomerId: customer, Customer: &customerv1.Customer{City: proto.String(city)}}
}

// overBothTransports makes one call over each transport, and checks that both have the wanted outcome.
func (g *gateway) overBothTransports(t *testing.T, want outcome) {
	t.Helper()
	_, err := g.grpc.UpdateCustomer(t.Context(), moveTo(1, "Lyon"))
	got := errorOutcome(t, status.Convert(err))
	response, body := g.send(t, http.MethodPut, "/v1/customers/1", `{"city":"Lyon"}`, nil)
	overJSON := jsonOutcome(t, response, body)
	for _, got := range []outcome{got, overJSON} {
		if got.Code != want.Code || got.Reason != want.Reason || got.WriteState != want.WriteState || got.RetryAfter != want.RetryAfter {
			t.Errorf("got %+v", got)
		}
	}
	if overJSON.HTTP != want.HTTP {
		t.Errorf("HTTP status %d, want %d", overJSON.HTTP, want.HTTP)
	}
}

func (g *gateway) methodsSent() string {
	var methods []string
	for _, request := range g.toStore.take() {
		methods = append(methods, request.method)
	}
	return strings.Join(methods, " ")
}

// oneCaller treats all calls as those of one caller, so that none is evicted for the fair share of another.
type oneCaller struct{ auth.Anyone }

func (oneCaller) Authenticate(auth.Presented) (*auth.Caller, error) {
	return &auth.Caller{Name: "one", Authenticated: true, Share: "one", May: auth.Permissions{Status: true}}, nil
}

func TestOverloadIsRejectedAtOnce(t *testing.T) {
	g := startFull(t)
	g.overBothTransports(t, outcome{Code: "RESOURCE_EXHAUSTED", HTTP: http.StatusTooManyRequests, Reason: "OVERLOADED", WriteState: "not_sent", RetryAfter: "1"})
}

// startFull runs a gateway whose only slot and only place in the queue are taken until the test ends.
func startFull(t *testing.T) *gateway {
	t.Helper()
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
	t.Cleanup(func() {
		close(finish)
		for range 2 {
			if err := <-done; err != nil {
				t.Errorf("an admitted call: %v", err)
			}
		}
	})
	<-begun
	waitUntil(t, func() bool { return g.service.Load().Admitted == 2 })
	return g
}

// A call that the rate does not allow before its deadline is rejected at once; one that it allows later waits.
func TestRateTowardsTheStoreIsLimited(t *testing.T) {
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
	if got := errorOutcome(t, status.Convert(err)); got.Reason != "OVERLOADED" || got.WriteState != "not_sent" || time.Since(begun) > 200*time.Millisecond {
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

// After eight failures in a row no call waits for a store that does not work.
func TestFailingStoreOpensTheBreaker(t *testing.T) {
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
	g.overBothTransports(t, outcome{Code: "UNAVAILABLE", HTTP: http.StatusServiceUnavailable, Reason: "STORE_UNAVAILABLE", WriteState: "not_sent", RetryAfter: "1"})
}

// A caller with a deadline gets the gateway's error before the deadline, over gRPC too.
func TestCallersWithADeadlineGetTheWriteState(t *testing.T) {
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
				t.Error("the response came after the deadline")
			}
			got := errorOutcome(t, status.Convert(err))
			if diff := cmp.Diff(want, got.Code+" "+got.Reason+" "+got.WriteState); diff != "" {
				t.Errorf("outcome (-want +got):\n%s", diff)
			}
		})
	}
}
