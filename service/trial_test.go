package service_test

import (
	"bytes"
	"context"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/history"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

const (
	// latency is how long the store takes for one request in a trial; a real one was measured so (F24).
	latency = 33 * time.Millisecond
	// timeout is how long the client waits for one.
	timeout = time.Second
	// firstOfCrowd is the first of the customers that sandbox.Config.Customers adds.
	firstOfCrowd = int64(1001)
)

// trial is a service in front of a sandbox store, in a bubble of fake time, and what became of the calls to it.
type trial struct {
	store     *sandbox.Store
	wire      *wire
	customers *service.Service
	log       bytes.Buffer // JSON lines

	initial map[int64]map[string]string

	mu    sync.Mutex
	calls []told
}

// told is a call, and what its caller was told.
type told struct {
	history.Call
	code          codes.Code // OK for a call that was served
	reason, state string
	retryAfter    time.Duration
}

func (c told) took() time.Duration { return c.End.Sub(c.Begin) }

// setup is what differs from an ordinary trial.
type setup struct {
	store          sandbox.Config
	service        service.Config
	connecting     time.Duration
	breakerChanged func(open bool)
	credentials    func(context.Context) fluentcart.Credentials // nil is those of an administrator
}

// newTrial must be called in the bubble.
func newTrial(t testing.TB, s setup) *trial {
	t.Helper()
	s.store.KeepLog = true
	s.store.Latency = latency
	tr := &trial{store: sandbox.New(s.store), initial: map[int64]map[string]string{}}
	for _, row := range tr.store.Rows() {
		tr.initial[row.ID] = map[string]string{
			"city": textOf(row.City), "state": textOf(row.State), "country": textOf(row.Country),
			"postcode": textOf(row.Postcode), "status": textOf(row.Status), "notes": row.Notes,
		}
	}
	tr.wire = newWire(tr.store)
	tr.wire.connecting = s.connecting
	if s.credentials == nil {
		s.credentials = fluentcart.As(sandbox.AdminUsername, sandbox.AdminPassword)
	}
	client, err := fluentcart.New(fluentcart.Config{
		BaseURL: "http://store.example", Credentials: s.credentials,
		GetTimeout: timeout, PutTimeout: timeout, Transport: tr.wire, BreakerChanged: s.breakerChanged,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.service.Store = client
	s.service.Logger = slog.New(slog.NewJSONHandler(&tr.log, nil))
	if tr.customers, err = service.New(s.service); err != nil {
		t.Fatal(err)
	}
	return tr
}

// update asks for one field of a customer, with a value that is the call's alone.
func (tr *trial) update(ctx context.Context, call int, customer int64, field string) told {
	value := field[:1] + strconv.Itoa(call)
	asked := &customerv1.Customer{}
	descriptor := asked.ProtoReflect().Descriptor().Fields().ByTextName(field)
	asked.ProtoReflect().Set(descriptor, protoreflect.ValueOfString(value))
	ctx = context.WithValue(ctx, callKey{}, call)
	if deadline, ok := ctx.Deadline(); ok {
		ctx = context.WithValue(ctx, deadlineKey{}, deadline)
	}
	c := told{Call: history.Call{ID: call, Customer: customer, Fields: map[string]string{field: value}, Begin: time.Now()}}
	response, err := tr.customers.UpdateCustomer(ctx, &customerv1.UpdateCustomerRequest{CustomerId: customer, Customer: asked})
	c.End = time.Now()
	c.hear(response, err)
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.calls = append(tr.calls, c)
	return c
}

// hear notes what a call was told.
func (c *told) hear(response *customerv1.UpdateCustomerResponse, err error) {
	if err == nil {
		is := response.GetCustomer()
		c.Outcome = history.Written
		c.After = map[string]string{
			"city": is.GetCity(), "state": is.GetState(), "country": is.GetCountry(),
			"postcode": is.GetPostcode(), "status": is.GetStatus(), "notes": is.GetNotes(),
		}
		return
	}
	s := status.Convert(err)
	c.code, c.Code = s.Code(), s.Code().String()
	for _, detail := range s.Details() {
		switch d := detail.(type) {
		case *errdetails.ErrorInfo:
			c.reason, c.state = d.GetReason(), d.GetMetadata()["write_state"]
		case *errdetails.RetryInfo:
			c.retryAfter = d.GetRetryDelay().AsDuration()
		}
	}
	if c.state == "not_sent" || c.state == "rejected" {
		c.Outcome = history.NotWritten
	}
}

// finish waits until nothing is under way any more: no write of the gateway's, and no late work of the store's.
func (tr *trial) finish(t testing.TB) {
	t.Helper()
	tr.customers.Close(t.Context())
	tr.store.Wait()
}

// judge reports what must never be, whatever happened. It is for after finish.
func (tr *trial) judge(t testing.TB) {
	t.Helper()
	calls, writes := tr.history(), tr.store.Writes()
	for _, fault := range slices.Concat(history.Reverts(calls, writes), history.FalseClaims(calls, writes)) {
		t.Error(fault)
	}
	if err := history.Linearizable(calls, tr.initial, 0); err != nil {
		t.Error(err)
	}
	promises := map[codes.Code]bool{codes.DeadlineExceeded: true, codes.Unknown: true, codes.Canceled: true, codes.Internal: true}
	for _, c := range tr.calls {
		switch {
		case c.Outcome == history.Written:
		case c.state == "":
			t.Errorf("%v was not told what became of it", c)
		case c.Outcome == history.Unknown && !promises[c.code]:
			t.Errorf("%v is unknown under a code that says that nothing was written", c)
		}
	}
}

func (tr *trial) history() []history.Call {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	calls := make([]history.Call, len(tr.calls))
	for i, c := range tr.calls {
		calls[i] = c.Call
	}
	return calls
}

// writesOf returns the store's writes to one customer.
func (tr *trial) writesOf(customer int64) []sandbox.Write {
	return slices.DeleteFunc(tr.store.Writes(), func(w sandbox.Write) bool { return w.Customer != customer })
}

// leaving returns the context of a caller who leaves after a while: who cancels, or whose deadline passes.
func leaving(t testing.TB, cancels bool, after time.Duration) context.Context {
	t.Helper()
	if !cancels {
		ctx, cancel := context.WithTimeout(t.Context(), after)
		t.Cleanup(cancel)
		return ctx
	}
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	if after <= 0 {
		cancel()
	} else {
		time.AfterFunc(after, cancel)
	}
	return ctx
}

// pass lets fake time pass.
func pass(d time.Duration) {
	time.Sleep(d) //nolint:forbidigo // in a bubble of synctest, where time is fake
}

// seedOf returns what a test draws its numbers from. With TEST_SEED it draws those of an earlier run.
func seedOf(t testing.TB) uint64 {
	t.Helper()
	seed := rand.Uint64()
	if given, err := strconv.ParseUint(os.Getenv("TEST_SEED"), 10, 64); err == nil {
		seed = given
	}
	t.Logf("TEST_SEED=%d", seed)
	return seed
}

// between draws a duration, each as likely.
func between(random *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(random.Int64N(int64(most-least)))
}

// logBetween draws a duration, short ones as often as long ones.
func logBetween(random *rand.Rand, least, most time.Duration) time.Duration {
	return time.Duration(float64(least) * math.Pow(float64(most)/float64(least), random.Float64()))
}

func textOf(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
