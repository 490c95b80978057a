package service_test

import (
	"context"
	"fmt"
	"net/http"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/history"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// between lets the store process each request, and then calls after with it.
func (h *harness) between(after func(*http.Request)) {
	h.transport.setHandler(func(w http.ResponseWriter, r *http.Request) {
		h.store.ServeHTTP(w, r)
		after(r)
	})
}

// An update whose cancellation shows that it was applied is a success, also if its customer cannot be read any more.
func TestAppliedUpdateOfACustomerThatCannotBeReadIsASuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, atomicSetup(failFirstUpdate(sandbox.Failure{Delivery: sandbox.Reset})))
		h.transport.setHandler(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodDelete {
				_, _ = fmt.Fprintf(w, `{"fluentcart_gateway":1,"request_id":%q,"result":"already_applied","changed":["city"],"customer":null}`, path.Base(r.URL.Path))
				return
			}
			h.store.ServeHTTP(w, r)
		})
		advance(time.Second)
		city := "Lyon"
		got, err := h.service.UpdateCustomer(t.Context(), &customerv1.UpdateCustomerRequest{CustomerId: 1, Customer: &customerv1.Customer{City: &city}})
		if err != nil || got.GetCustomer().GetId() != 1 || got.GetCustomer().Email != nil || strings.Join(got.GetChangedFields(), " ") != "city" {
			t.Errorf("the update got %v, %v", got, err)
		}
		h.finish(t)
	})
}

// A read that verified a caller's account may be older than an atomic update, which takes no lease. The update that goes on without
// the companion reads again.
func TestEarlyReadIsNotMergedAfterAnAtomicUpdate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, setup{
			store: sandbox.Config{Companion: true, Customers: 1}, service: service.Config{WriteMode: service.Auto},
			credentials: func(ctx context.Context) fluentcart.Credentials {
				if caller := auth.FromContext(ctx); caller != nil && caller.Store != nil {
					return fluentcart.Credentials{Username: caller.Store.Username, Password: caller.Store.Password}
				}
				return fluentcart.Credentials{} // of the probe
			},
		})
		advance(time.Second)
		verified, unverified := newUsers(), newUsers()
		update := func(by users, change *customerv1.Customer) {
			_, err := h.service.UpdateCustomer(by.by(t, sandbox.AdminUsername, sandbox.AdminPassword), &customerv1.UpdateCustomerRequest{CustomerId: firstAddedCustomer, Customer: change})
			if err != nil {
				t.Error(err)
			}
		}
		update(verified, &customerv1.Customer{City: proto.String("Lyon")})
		var updated atomic.Bool
		h.between(func(r *http.Request) {
			if r.Method == http.MethodGet && updated.CompareAndSwap(false, true) {
				update(verified, &customerv1.Customer{City: proto.String("Bonn")})
				h.store.SetCompanion(false)
			}
		})
		update(unverified, &customerv1.Customer{State: proto.String("IDF")})
		h.finish(t)
		if row, _ := h.store.Row(firstAddedCustomer); valueOrEmpty(row.City) != "Bonn" || valueOrEmpty(row.State) != "IDF" {
			t.Errorf("the city is %q and the state %q", valueOrEmpty(row.City), valueOrEmpty(row.State))
		}
	})
}

// Updates that wait in the queue when the companion goes are made in the other way.
func TestQueuedUpdatesGoOnWithoutTheCompanion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const updates = 40
		h := newHarness(t, setup{store: sandbox.Config{Companion: true, Customers: updates, Workers: 4}, service: service.Config{WriteMode: service.Auto}})
		advance(time.Second)
		h.store.SetCompanion(false)
		var callers sync.WaitGroup
		for i := range updates {
			callers.Go(func() {
				if got := h.update(t.Context(), i+1, firstAddedCustomer+int64(i), "city"); got.Outcome != history.Written {
					t.Errorf("update %d got %s, %s", i, got.Code, got.reason)
				}
			})
		}
		callers.Wait()
		h.finish(t)
		h.checkHistory(t)
	})
}

// expiredLocker gives leases whose term is over when the write begins.
type expiredLocker struct{ lease.Locker }

type expiredLease struct{ lease.Lease }

func (l expiredLocker) Acquire(ctx context.Context, customer int64, caller string) (lease.Lease, error) {
	got, err := l.Locker.Acquire(ctx, customer, caller)
	return expiredLease{got}, err
}

func (expiredLease) Check() error { return lease.ErrExpired }

// An atomic update that takes a lease is not sent once the lease has expired.
func TestAtomicUpdateIsNotSentWithAnExpiredLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, setup{
			store:   sandbox.Config{Companion: true},
			service: service.Config{WriteMode: service.Auto, Shared: true, Leases: expiredLocker{lease.NewLocal(lease.Limits{})}},
		})
		advance(time.Second)
		if got := h.update(t.Context(), 1, 1, "city"); got.reason != "LEASE_EXPIRED" || got.state != "not_sent" {
			t.Errorf("the update got %s, %s, %s", got.Code, got.reason, got.state)
		}
		h.finish(t)
		h.checkHistory(t)
	})
}

// The request_id of an update that has nothing to change is noted also if another update comes in between.
func TestUnchangedUpdateIsNotedAfterAnotherUpdate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const id = "6f1b0e0c-2c4b-4f0a-9a55-5f0f3c1d7a10"
		h := newHarness(t, atomicSetup(nil))
		advance(time.Second)
		update := func(requestID string, change *customerv1.Customer) *customerv1.UpdateCustomerResponse {
			got, err := h.service.UpdateCustomer(t.Context(), &customerv1.UpdateCustomerRequest{CustomerId: 1, Customer: change, RequestId: requestID})
			if err != nil {
				t.Error(err)
			}
			return got
		}
		var once atomic.Bool
		h.between(func(r *http.Request) {
			if r.Method == http.MethodPost && once.CompareAndSwap(false, true) {
				update("", &customerv1.Customer{Notes: proto.String("other")})
			}
		})
		ann := &customerv1.Customer{FullName: proto.String(" Ann Lee")} // the stored name must be seen
		update(id, ann)
		update("", &customerv1.Customer{FullName: proto.String("Bea Lee")})
		if again := update(id, ann); again.GetCustomer().GetFullName() != "Bea Lee" {
			t.Errorf("the repetition got %v", again)
		}
		h.finish(t)
	})
}

// A companion that refuses to work is named as such.
func TestCompanionThatRefusesToWorkIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, atomicSetup(failFirstUpdate(sandbox.Failure{Cause: "unsupported"})))
		advance(time.Second)
		city := "Lyon"
		_, err := h.service.UpdateCustomer(t.Context(), &customerv1.UpdateCustomerRequest{CustomerId: 1, Customer: &customerv1.Customer{City: &city}})
		if message := status.Convert(err).Message(); !strings.Contains(message, "refuses to work") || strings.Contains(message, "install") {
			t.Errorf("the update got %q", message)
		}
		if _, problem := h.service.Mode(); problem != "the WordPress companion refuses to work on this store" {
			t.Errorf("the problem is %q", problem)
		}
		h.finish(t)
	})
}

// An atomic update whose cancellation finds no companion holds up the updates of its own customer only.
func TestOtherCustomersDoNotWaitForAnUpdateInDoubt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, setup{
			store:   sandbox.Config{Companion: true, Customers: 1, Fail: failFirstUpdate(sandbox.Failure{Delay: 300 * time.Millisecond, Delivery: sandbox.Reset})},
			service: service.Config{WriteMode: service.Auto},
		})
		advance(time.Second)
		var callers sync.WaitGroup
		callers.Go(func() { h.update(contextEnding(t, byDeadline, 5*time.Second), 1, 1, "city") })
		callers.Go(func() {
			advance(100 * time.Millisecond)
			h.store.SetCompanion(false)
			advance(400 * time.Millisecond)
			if other := h.update(t.Context(), 2, firstAddedCustomer, "city"); other.Outcome != history.Written {
				t.Errorf("the update of another customer got %s, %s", other.Code, other.reason)
			}
			if same := h.update(t.Context(), 3, 1, "notes"); same.reason != "STORE_UNAVAILABLE" {
				t.Errorf("the update of the same customer got %s, %s", same.Code, same.reason)
			}
		})
		callers.Wait()
		h.finish(t)
		h.checkHistory(t)
	})
}
