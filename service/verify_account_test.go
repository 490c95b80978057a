package service_test

import (
	"context"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/proto"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/history"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// users are callers with accounts of their own in the store.
type users struct{ *auth.StoreUsers }

func newUsers() users { return users{auth.NewStoreUsers(auth.Permissions{Status: true})} }

// by returns the context of a call by a user.
func (u users) by(t testing.TB, username, password string) context.Context {
	t.Helper()
	encoded := base64.StdEncoding.EncodeToString([]byte(username + ":" + password))
	who, err := u.Authenticate(auth.Presented{Authorization: []string{"Basic " + encoded}})
	if err != nil {
		t.Fatal(err)
	}
	who.Share = who.Name
	return auth.NewContext(t.Context(), who)
}

// withCallersAccounts sends each request with the account of its caller.
func withCallersAccounts(s setup) setup {
	s.credentials = func(ctx context.Context) fluentcart.Credentials {
		account := auth.FromContext(ctx).Store
		return fluentcart.Credentials{Username: account.Username, Password: account.Password}
	}
	return s
}

// methods returns the methods of the requests that the store received, in order.
func (h *harness) methods() string {
	var methods []string
	for _, r := range h.transport.requestsWhere(func(sentRequest) bool { return true }) {
		methods = append(methods, r.method)
	}
	return strings.Join(methods, " ")
}

func TestUnverifiedAccountIsVerifiedByTheReadOfItsFirstUpdate(t *testing.T) {
	const wrong = "wrong"
	update := func(ctx context.Context, h *harness, change func(*customerv1.UpdateCustomerRequest)) result {
		request := &customerv1.UpdateCustomerRequest{CustomerId: firstAddedCustomer, Customer: &customerv1.Customer{
			Email: proto.String("new@example.com"), FullName: proto.String("Ann Lee"), City: proto.String("c" + strconv.Itoa(len(h.methods()))),
		}}
		change(request)
		var c result
		c.record(h.service.UpdateCustomer(ctx, request))
		return c
	}
	unchanged := func(*customerv1.UpdateCustomerRequest) {}
	dryRun := func(r *customerv1.UpdateCustomerRequest) { r.ValidateOnly = true }
	documented := func(r *customerv1.UpdateCustomerRequest) {
		r.Customer.Status, r.Customer.Notes, r.Customer.Country = proto.String("active"), proto.String("n"), proto.String("FR")
		r.Customer.State, r.Customer.Postcode, r.Customer.UserId = proto.String("IDF"), proto.String("75001"), proto.Int64(0)
	}
	for _, row := range []struct {
		name               string
		mode               service.WriteMode
		username, password string
		change             func(*customerv1.UpdateCustomerRequest)
		store              func(http.Handler) http.Handler
		reason             string // of both calls
		first, second      string // the requests
	}{
		{"the right password", service.Merge, sandbox.AdminUsername, sandbox.AdminPassword, unchanged, nil, "", "GET PUT", "GET PUT"},
		{"a wrong password", service.Merge, sandbox.AdminUsername, wrong, unchanged, nil, "STORE_UNAUTHENTICATED", "GET", "GET"},
		{"a user who is not a manager", service.Merge, sandbox.SubscriberUsername, sandbox.SubscriberPassword, unchanged, nil, "STORE_FORBIDDEN", "GET", "GET"},
		{"validate_only", service.Merge, sandbox.AdminUsername, sandbox.AdminPassword, dryRun, nil, "", "GET", "GET"},
		{"validate_only with a wrong password", service.Merge, sandbox.AdminUsername, wrong, dryRun, nil, "STORE_UNAUTHENTICATED", "GET", "GET"},
		{"a customer that does not exist", service.Merge, sandbox.AdminUsername, sandbox.AdminPassword, func(r *customerv1.UpdateCustomerRequest) { r.CustomerId = 999999 }, nil, "CUSTOMER_NOT_FOUND", "GET", "GET"},
		{"an invalid request", service.Merge, sandbox.AdminUsername, wrong, func(r *customerv1.UpdateCustomerRequest) { r.CustomerId = 0 }, nil, "INVALID_FIELD", "", ""},
		{"replace", service.Replace, sandbox.AdminUsername, sandbox.AdminPassword, unchanged, nil, "", "GET PUT", "PUT"},
		{"replace with a wrong password", service.Replace, sandbox.AdminUsername, wrong, unchanged, nil, "STORE_UNAUTHENTICATED", "GET", "GET"},
		{"a page of a firewall", service.Merge, sandbox.AdminUsername, sandbox.AdminPassword, unchanged, answeringAll(403, "<html>blocked</html>"), "STORE_BLOCKED", "GET", "GET"},
		{"a page of a web server that asks for a password", service.Merge, sandbox.AdminUsername, sandbox.AdminPassword, unchanged, answeringAll(401, "<html>password</html>"), "STORE_BLOCKED", "GET", "GET"},
		{"the documented call to an upstream that only knows it", service.Merge, sandbox.AdminUsername, sandbox.AdminPassword, documented, putOnly, "", "GET GET PUT", "GET PUT"},
		{"another call to an upstream that only knows the documented one", service.Merge, sandbox.AdminUsername, sandbox.AdminPassword, unchanged, putOnly, "STORE_ROUTE_MISSING", "GET", "GET"},
		{"replace in a store that only knows PUT", service.Replace, sandbox.AdminUsername, sandbox.AdminPassword, unchanged, writesOnly, "", "GET PUT", "PUT"},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHarness(t, withCallersAccounts(setup{store: sandbox.Config{Customers: 1}, service: service.Config{WriteMode: row.mode}}))
				if row.store != nil {
					h.transport.handler = row.store(h.store)
				}
				all := newUsers()
				for i, requests := range []string{row.first, row.second} {
					before := h.methods()
					c := update(all.by(t, row.username, row.password), h, row.change)
					if c.reason != row.reason || row.reason != "" && c.state != "not_sent" {
						t.Errorf("call %d returned %s, %s, want %s", i+1, c.reason, c.state, row.reason)
					}
					if got := strings.TrimSpace(strings.TrimPrefix(h.methods(), before)); got != requests {
						t.Errorf("call %d sent %q, want %q", i+1, got, requests)
					}
				}
				h.finish(t)
			})
		})
	}
}

// answeringAll returns a store in whose place something else answers all requests.
func answeringAll(status int, body string) func(http.Handler) http.Handler {
	return func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		})
	}
}

// putOnly returns an upstream that serves nothing but the documented PUT.
func putOnly(store http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPut {
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		store.ServeHTTP(w, r)
	})
}

// writesOnly returns a store without the route of the read.
func writesOnly(store http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(`{"code":"rest_no_route","message":"No route","data":{"status":404}}`))
			return
		}
		store.ServeHTTP(w, r)
	})
}

// The read that verifies an account is made without the lease. If another update comes in between, it is read again.
func TestReadThatVerifiedAnAccountIsRepeatedAfterAnotherUpdate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, withCallersAccounts(setup{store: sandbox.Config{Customers: 1, Workers: 2}}))
		verified, unverified := newUsers(), newUsers()
		update := func(u users, customer *customerv1.Customer) {
			_, err := h.service.UpdateCustomer(u.by(t, sandbox.AdminUsername, sandbox.AdminPassword), &customerv1.UpdateCustomerRequest{CustomerId: firstAddedCustomer, Customer: customer})
			if err != nil {
				t.Error(err)
			}
		}
		update(verified, &customerv1.Customer{City: proto.String("Lyon")})
		var updated atomic.Bool
		h.transport.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h.store.ServeHTTP(w, r)
			if updated.CompareAndSwap(false, true) { // its own requests come here too
				update(verified, &customerv1.Customer{City: proto.String("Bonn")})
			}
		})
		before := h.methods()
		update(unverified, &customerv1.Customer{State: proto.String("IDF")})
		if got := strings.TrimSpace(strings.TrimPrefix(h.methods(), before)); got != "GET GET PUT GET PUT" {
			t.Errorf("sent %q", got)
		}
		h.finish(t)
		writes := h.writesOf(firstAddedCustomer)
		if last := writes[len(writes)-1].After; *last.City != "Bonn" || *last.State != "IDF" {
			t.Errorf("city %q, state %q", *last.City, *last.State)
		}
	})
}

func TestVerifyingAnAccountCostsNoReadOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, withCallersAccounts(setup{store: sandbox.Config{Customers: 1}}))
		all := newUsers()
		reads := func() int {
			return len(h.transport.requestsWhere(func(r sentRequest) bool { return r.method == http.MethodGet }))
		}
		call := 0
		update := func() {
			call++
			if c := h.update(all.by(t, sandbox.AdminUsername, sandbox.AdminPassword), call, firstAddedCustomer, "city"); c.Outcome != history.Written {
				t.Errorf("%v returned %s", c, c.reason)
			}
		}
		for range 20 {
			update()
			advance(time.Minute)
		}
		if got := reads(); got != 20 {
			t.Errorf("%d reads for 20 updates", got)
		}
		advance(6 * time.Minute)
		update()
		if got := reads(); got != 21 {
			t.Errorf("%d reads after a pause", got)
		}
		h.finish(t)
	})
}

// Of calls that arrive together the first verifies the account for all.
func TestConcurrentCallsVerifyTheirAccountOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const calls = 20
		h := newHarness(t, withCallersAccounts(setup{store: sandbox.Config{Customers: calls}}))
		all := newUsers()
		var running sync.WaitGroup
		for i := range calls {
			ctx := all.by(t, sandbox.AdminUsername, sandbox.AdminPassword)
			running.Go(func() {
				if c := h.update(ctx, i, firstAddedCustomer+int64(i), "city"); c.Outcome != history.Written {
					t.Errorf("%v returned %s", c, c.reason)
				}
			})
		}
		running.Wait()
		h.finish(t)
		if got := len(h.transport.requestsWhere(func(r sentRequest) bool { return r.method == http.MethodGet })); got != calls {
			t.Errorf("%d reads for %d updates", got, calls)
		}
	})
}

// Unverified accounts that flood one customer with wrong passwords, under many names and under the verified caller's own,
// do not wait for the customer's lease, do not fill the queue, and do not write. The verified caller is not slowed down.
func TestUnverifiedAccountsDoNotSlowDownAVerifiedOne(t *testing.T) {
	for _, mode := range []service.WriteMode{service.Merge, service.Replace} {
		t.Run(string(mode), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const crowd, calls = 300, 20
				h := newHarness(t, withCallersAccounts(setup{
					store:   sandbox.Config{Workers: slots, Customers: 1},
					service: service.Config{WriteMode: mode, MaxInFlight: slots, MaxQueue: queue},
				}))
				all := newUsers()
				names := &customerv1.Customer{Email: proto.String("new@example.com"), FullName: proto.String("Ann Lee")}
				verified := func(i int) (result, time.Duration) {
					began := time.Now()
					asked := proto.CloneOf(names)
					asked.City = proto.String("h" + strconv.Itoa(i))
					var c result
					c.record(h.service.UpdateCustomer(all.by(t, sandbox.AdminUsername, sandbox.AdminPassword), &customerv1.UpdateCustomerRequest{CustomerId: firstAddedCustomer, Customer: asked}))
					return c, time.Since(began)
				}
				if c, _ := verified(0); c.Outcome != history.Written {
					t.Fatalf("returned %s", c.reason)
				}
				writes := len(h.writesOf(firstAddedCustomer))

				flood, stop := context.WithCancel(t.Context())
				var running sync.WaitGroup
				var mu sync.Mutex
				reasons := map[string]int{}
				for i := range crowd {
					username := "made-up" + strconv.Itoa(i)
					if i%3 == 0 {
						username = sandbox.AdminUsername
					}
					ctx := all.by(t, username, "wrong"+strconv.Itoa(i))
					running.Go(func() {
						for flood.Err() == nil {
							var c result
							c.record(h.service.UpdateCustomer(ctx, &customerv1.UpdateCustomerRequest{CustomerId: firstAddedCustomer, Customer: names}))
							mu.Lock()
							reasons[c.reason+" "+c.state]++
							mu.Unlock()
							advance(10 * time.Millisecond)
						}
					})
				}
				synctest.Wait()
				if load := h.service.Load(); load.Admitted > queue/8 || load.Working > 1 {
					t.Errorf("load %+v", load)
				}
				var longest time.Duration
				for i := range calls {
					c, took := verified(i + 1)
					longest = max(longest, took)
					if c.Outcome != history.Written {
						t.Errorf("the verified caller got %s", c.reason)
					}
				}
				stop()
				running.Wait()
				h.finish(t)
				t.Logf("the longest verified call took %v; the unverified ones got %v", longest, reasons)
				if alone := 2 * latency; longest > alone {
					t.Errorf("a verified call took %v, and takes %v without the others", longest, alone)
				}
				if len(reasons) != 2 || reasons["STORE_UNAUTHENTICATED not_sent"] == 0 || reasons["OVERLOADED not_sent"] == 0 {
					t.Errorf("the unverified accounts got %v", reasons)
				}
				if got := len(h.writesOf(firstAddedCustomer)) - writes; got != calls {
					t.Errorf("%d writes for %d verified calls", got, calls)
				}
				if sent := len(h.transport.requestsWhere(func(r sentRequest) bool { return r.method == http.MethodPut })); sent != calls+1 {
					t.Errorf("%d writes were sent for %d verified calls", sent, calls+1)
				}
			})
		})
	}
}
