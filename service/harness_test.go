package service_test

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/reflect/protoreflect"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/history"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

const (
	// latency is how long the sandbox store of a harness needs to serve one request, as measured at a real store (F24).
	latency = 33 * time.Millisecond
	// timeout is how long the client waits for the response to one request.
	timeout = time.Second
	// firstAddedCustomer is the ID of the first customer that sandbox.Config.Customers adds.
	firstAddedCustomer = int64(1001)
)

// harness is a service in front of a sandbox store, in a synctest bubble, with the results of all calls to it.
type harness struct {
	store     *sandbox.Store
	transport *inMemoryTransport
	service   *service.Service
	log       bytes.Buffer // JSON lines

	initial map[int64]map[string]string

	mu    sync.Mutex
	calls []result
}

// setup is the configuration of a harness. Its zero value is the usual one.
type setup struct {
	store          sandbox.Config
	service        service.Config
	connectTime    time.Duration // until the first byte of a write can be sent
	breakerChanged func(open bool)
	credentials    func(context.Context) fluentcart.Credentials // nil means an administrator
}

// newHarness returns a harness with an idle service. It must be called in a synctest bubble.
func newHarness(t testing.TB, s setup) *harness {
	t.Helper()
	s.store.KeepLog = true
	s.store.Latency = latency
	h := &harness{store: sandbox.New(s.store), initial: map[int64]map[string]string{}}
	for _, row := range h.store.Rows() {
		h.initial[row.ID] = map[string]string{
			"city": valueOrEmpty(row.City), "state": valueOrEmpty(row.State), "country": valueOrEmpty(row.Country),
			"postcode": valueOrEmpty(row.Postcode), "status": valueOrEmpty(row.Status), "notes": row.Notes,
		}
	}
	h.transport = newInMemoryTransport(h.store)
	h.transport.connectTime = s.connectTime
	if s.credentials == nil {
		s.credentials = fluentcart.As(sandbox.AdminUsername, sandbox.AdminPassword)
	}
	transport := fluentcart.NewTransport()
	transport.DialContext = h.transport.dial
	t.Cleanup(transport.CloseIdleConnections) // a write that was refused before its first byte leaves one
	client, err := fluentcart.New(fluentcart.Config{
		BaseURL: "http://store.example", Credentials: s.credentials,
		GetTimeout: timeout, PutTimeout: timeout, Transport: transport, BreakerChanged: s.breakerChanged,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.service.Store = client
	s.service.Logger = slog.New(slog.NewJSONHandler(&h.log, nil))
	if h.service, err = service.New(s.service); err != nil {
		t.Fatal(err)
	}
	h.watch(t)
	return h
}

// watch lets the service probe for the companion until the test ends.
func (h *harness) watch(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var watching sync.WaitGroup
	watching.Go(func() { h.service.Watch(ctx) })
	t.Cleanup(func() {
		cancel()
		watching.Wait()
	})
}

// update sends one call that sets one field of a customer. Each call number sets another value.
func (h *harness) update(ctx context.Context, call int, customer int64, field string) result {
	value := field[:1] + strconv.Itoa(call)
	change := &customerv1.Customer{}
	descriptor := change.ProtoReflect().Descriptor().Fields().ByTextName(field)
	change.ProtoReflect().Set(descriptor, protoreflect.ValueOfString(value))
	ctx = context.WithValue(ctx, callKey{}, call)
	if deadline, ok := ctx.Deadline(); ok {
		ctx = context.WithValue(ctx, deadlineKey{}, deadline)
	}
	c := result{Call: history.Call{ID: call, Customer: customer, Fields: map[string]string{field: value}, Begin: time.Now()}}
	response, err := h.service.UpdateCustomer(ctx, &customerv1.UpdateCustomerRequest{CustomerId: customer, Customer: change})
	c.End = time.Now()
	c.record(response, err)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls = append(h.calls, c)
	return c
}

// finish waits until the service has no in-flight write, and until the store has done its late work.
func (h *harness) finish(t testing.TB) {
	t.Helper()
	h.service.Close(t.Context())
	h.store.Wait()
}

// checkHistory fails the test if an update was reverted, a result contradicts the store's writes, the calls are not
// linearizable, or an error does not say truthfully what was written. Call it after finish.
func (h *harness) checkHistory(t testing.TB) {
	t.Helper()
	calls, writes := h.history(), h.store.Writes()
	for _, fault := range slices.Concat(history.Reverts(calls, writes), history.FalseClaims(calls, writes)) {
		t.Error(fault)
	}
	if err := history.Linearizable(calls, h.initial, 0); err != nil {
		t.Error(err)
	}
	mayBeUnknown := map[codes.Code]bool{codes.DeadlineExceeded: true, codes.Unknown: true, codes.Canceled: true, codes.Internal: true}
	for _, c := range h.calls {
		switch {
		case c.Outcome == history.Written:
		case c.state == "":
			t.Errorf("%v failed without a write_state", c)
		case c.Outcome == history.Unknown && !mayBeUnknown[c.code]:
			t.Errorf("%v has an unknown outcome, and its code promises that nothing was written", c)
		}
	}
}

func (h *harness) history() []history.Call {
	h.mu.Lock()
	defer h.mu.Unlock()
	calls := make([]history.Call, len(h.calls))
	for i, c := range h.calls {
		calls[i] = c.Call
	}
	return calls
}

// writesOf returns the store's writes to one customer.
func (h *harness) writesOf(customer int64) []sandbox.Write {
	return slices.DeleteFunc(h.store.Writes(), func(w sandbox.Write) bool { return w.Customer != customer })
}

func valueOrEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
