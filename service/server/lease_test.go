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

	"google.golang.org/grpc/status"

	"github.com/fluentcart-gateway/fluentcart-gateway/service"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease"
)

// failingLease is a lease that fails.
type failingLease struct {
	lease.Lease

	acquire, check error
}

func (l failingLease) Acquire(context.Context, int64, string) (lease.Lease, error) {
	return l, l.acquire
}

func (failingLease) Admits(context.Context, int64, string) (int, error) { return 0, nil }

func (failingLease) Renew(context.Context) error { return nil }

func (failingLease) LastGrant(context.Context, int64) (lease.Grant, error) { return lease.Held, nil }

func (l failingLease) Check() error { return l.check }

func (failingLease) Release() {}

func TestNothingIsSentWithoutALease(t *testing.T) {
	for _, row := range []struct {
		name   string
		leases failingLease
		want   outcome
		sent   string
	}{
		{
			"Redis does not answer",
			failingLease{acquire: &lease.UnavailableError{Err: errors.New("silence")}},
			outcome{Code: "UNAVAILABLE", HTTP: 503, Reason: "LEASES_UNAVAILABLE", WriteState: "not_sent", RetryAfter: "1"},
			"",
		},
		{
			"Redis has restarted",
			failingLease{acquire: &lease.UnavailableError{RetryAfter: 7 * time.Second}},
			outcome{Code: "UNAVAILABLE", HTTP: 503, Reason: "LEASES_UNAVAILABLE", WriteState: "not_sent", RetryAfter: "7"},
			"",
		},
		{
			"the lease has expired since the read",
			failingLease{check: lease.ErrExpired},
			outcome{Code: "UNAVAILABLE", HTTP: 503, Reason: "LEASE_EXPIRED", WriteState: "not_sent", RetryAfter: "1"},
			"GET GET",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			g := start(t, options{config: service.Config{Leases: row.leases}})
			g.overBothTransports(t, row.want)
			if sent := g.methodsSent(); sent != row.sent {
				t.Errorf("sent %q, want %q", sent, row.sent)
			}
		})
	}
}

// Locked customers, however many, do not take the capacity of others.
func TestLockedCustomersDoNotBlockOthers(t *testing.T) {
	const queue = 32
	leases := lease.NewLocal(lease.LimitsOf(queue))
	g := start(t, options{config: service.Config{Leases: leases, MaxQueue: queue}})
	var waiting sync.WaitGroup
	ctx, leave := context.WithCancel(t.Context())
	for customer := range int64(20) {
		held, err := leases.Acquire(t.Context(), 100+customer, "a")
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

// panickingLeases are leases whose Check panics.
type panickingLeases struct{ lease.Locker }

func (l panickingLeases) Acquire(ctx context.Context, customer int64, caller string) (lease.Lease, error) {
	held, err := l.Locker.Acquire(ctx, customer, caller)
	return panickingLease{held}, err
}

type panickingLease struct{ lease.Lease }

func (panickingLease) Check() error { panic("secret-canary") }

// A write runs in a goroutine of its own, in which a panic would end the gateway.
func TestPanicDuringAWriteIsSurvived(t *testing.T) {
	leases := lease.NewLocal(lease.Limits{})
	g := start(t, options{config: service.Config{Leases: panickingLeases{leases}, SettleTime: 50 * time.Millisecond}})
	for range 2 {
		_, err := g.grpc.UpdateCustomer(t.Context(), moveTo(1, "Lyon"))
		if got := errorOutcome(t, status.Convert(err)); got.Code != "INTERNAL" || got.Reason != "GATEWAY_FAULT" || got.WriteState != "unknown" || strings.Contains(got.message, "canary") {
			t.Errorf("got %v", err)
		}
	}
	waitUntil(t, func() bool { return leases.QueueLength(1) == 0 })
	if log := g.log.String(); !strings.Contains(log, `"panic":"string"`) || !strings.Contains(log, "lease_test.go") || strings.Contains(log, "canary") {
		t.Errorf("the log lacks the panic and its place, or has its text:\n%s", log)
	}
}

// countedLeases panic when a write is in doubt, and count how often they are released.
type countedLeases struct {
	failingLease

	released *atomic.Int64
}

func (l countedLeases) Acquire(context.Context, int64, string) (lease.Lease, error) { return l, nil }

func (countedLeases) Quarantine(time.Duration) { panic("secret-canary") }

func (l countedLeases) Release() { l.released.Add(1) }

// A write in doubt keeps its lease beyond the end of the gateway, after a panic too.
func TestPanicDoesNotReleaseTheLeaseOfAWriteInDoubt(t *testing.T) {
	var released atomic.Int64
	g := start(t, options{
		config: service.Config{Leases: countedLeases{released: &released}, SettleTime: time.Hour}, drain: 50 * time.Millisecond,
		wrap: answering(map[string]*rawAnswer{http.MethodPut: {Cut: true}}),
	})
	_, err := g.grpc.UpdateCustomer(t.Context(), moveTo(1, "Lyon"))
	if got := errorOutcome(t, status.Convert(err)); got.Reason != "GATEWAY_FAULT" || got.WriteState != "unknown" {
		t.Errorf("got %v", err)
	}
	g.stopNow(t)
	if released.Load() != 0 {
		t.Error("the lease was released")
	}
}
