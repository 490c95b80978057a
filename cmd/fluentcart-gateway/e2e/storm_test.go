package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/history"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// stormFields are the fields that the calls of a storm write, one or two at a time.
var stormFields = []protoreflect.Name{"city", "state", "country", "postcode", "status", "notes"}

// storm is many concurrent updates, each with values that no other update uses.
type storm struct {
	initial map[int64]map[string]string
	// readLater says that the gateway may learn of a write by a cancellation, whose answer shows the customer of that moment.
	readLater bool

	mu    sync.Mutex
	calls []history.Call
}

// newStorm records the rows before the storm.
func newStorm(store *sandbox.Store) *storm {
	s := &storm{initial: map[int64]map[string]string{}}
	for _, row := range store.Rows() {
		text := func(value *string) string {
			if value == nil {
				return ""
			}
			return *value
		}
		s.initial[row.ID] = map[string]string{
			"city": text(row.City), "state": text(row.State), "country": text(row.Country), "postcode": text(row.Postcode),
			"status": text(row.Status), "notes": row.Notes,
		}
	}
	return s
}

// begin returns a new call. It is part of the history once it is recorded.
func (s *storm) begin(customer int64) history.Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, history.Call{})
	return history.Call{ID: len(s.calls) - 1, Customer: customer, Fields: map[string]string{}, Begin: time.Now()}
}

// record records a call: before it is made, because a call that never returns has an unknown outcome, and with its outcome.
func (s *storm) record(call history.Call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[call.ID] = call
}

// update makes one call, and records its outcome.
func (s *storm) update(ctx context.Context, gateway customerv1.CustomerServiceClient, customer int64) history.Call {
	call := s.begin(customer)
	request := &customerv1.UpdateCustomerRequest{CustomerId: customer, Customer: &customerv1.Customer{}}
	message := request.GetCustomer().ProtoReflect()
	for range 1 + rand.IntN(2) {
		field := stormFields[rand.IntN(len(stormFields))]
		value := fmt.Sprintf("%s %d", field, call.ID)
		call.Fields[string(field)] = value
		message.Set(message.Descriptor().Fields().ByName(field), protoreflect.ValueOfString(value))
	}
	s.record(call)
	response, err := gateway.UpdateCustomer(ctx, request)
	call.End = time.Now()
	call.Outcome, call.Code = outcomeOf(err)
	if err == nil && keptAll(response, call.Fields) {
		call.Outcome, call.Code = history.NotWritten, "OK NOT_STORED"
	} else if err == nil {
		call.After, call.ReadLater = map[string]string{}, s.readLater
		answered := response.GetCustomer().ProtoReflect()
		for _, field := range stormFields {
			call.After[string(field)] = answered.Get(answered.Descriptor().Fields().ByName(field)).String()
		}
	}
	s.record(call)
	return call
}

// keptAll reports whether warnings say that the store kept the value it had in every field that was asked for: the response
// claims that nothing was written.
func keptAll(response *customerv1.UpdateCustomerResponse, asked map[string]string) bool {
	kept := 0
	for _, warning := range response.GetWarnings() {
		if _, ok := asked[warning.GetField()]; ok && warning.GetReason() == customerv1.Warning_REASON_NOT_STORED {
			kept++
		}
	}
	return kept == len(asked)
}

// outcomeOf is the outcome as the documentation of errors defines it for callers.
func outcomeOf(err error) (outcome history.Outcome, code string) {
	if err == nil {
		return history.Written, "OK"
	}
	converted := status.Convert(err)
	reason, state := "", ""
	for _, detail := range converted.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			reason = " " + info.GetReason()
			state = info.GetMetadata()["write_state"]
		}
	}
	code = converted.Code().String() + reason
	switch {
	case state == "unknown", state == "" && converted.Code() != codes.ResourceExhausted:
		return history.Unknown, code // without an answer of the gateway the connection broke
	default:
		return history.NotWritten, code
	}
}

// history returns the calls so far, including those without an answer yet.
func (s *storm) history() []history.Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := make([]history.Call, 0, len(s.calls))
	for _, call := range s.calls {
		if len(call.Fields) > 0 {
			calls = append(calls, call)
		}
	}
	return calls
}

// judge waits for all writes, and fails the test for each revert and each false claim.
func (s *storm) judge(t *testing.T, store *sandbox.Store) {
	t.Helper()
	store.Wait()
	calls, writes := s.history(), store.Writes()
	counts, codes := map[history.Outcome]int{}, map[string]int{}
	for _, call := range calls {
		counts[call.Outcome]++
		codes[call.Code]++
	}
	t.Logf("%d calls (%d written, %d not written, %d unknown), %d writes; %v", len(calls), counts[history.Written], counts[history.NotWritten], counts[history.Unknown], len(writes), codes)
	for what, faults := range map[string][]string{"revert": history.Reverts(calls, writes), "false claim": history.FalseClaims(calls, writes)} {
		for i, fault := range faults {
			if i == 5 {
				t.Errorf("%s: and %d more", what, len(faults)-i)
				break
			}
			t.Errorf("%s: %s", what, fault)
		}
	}
	if err := history.Linearizable(calls, s.initial, time.Minute); err != nil {
		t.Errorf("porcupine: %v", err)
	}
}

// run lets callers update customers one after another until lasting is over. Their deadlines are random, and some of them
// cancel early.
func (s *storm) run(ctx context.Context, callers int, customers []int64, gateway func() *process, lasting time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, lasting)
	defer cancel()
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for ctx.Err() == nil {
				s.updateWithRandomDeadline(ctx, gateway(), pick(customers))
			}
		})
	}
	all.Wait()
}

func (s *storm) updateWithRandomDeadline(ctx context.Context, gateway *process, customer int64) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Duration(50+rand.IntN(4000))*time.Millisecond)
	defer cancel()
	if rand.IntN(20) == 0 {
		leaving := time.AfterFunc(time.Duration(rand.IntN(100))*time.Millisecond, cancel)
		defer leaving.Stop()
	}
	if call := s.update(ctx, gateway.anyTransport(), customer); call.Outcome != history.Written {
		select { // wait before the next call
		case <-ctx.Done():
		case <-time.After(time.Duration(10+rand.IntN(50)) * time.Millisecond):
		}
	}
}

func (s *storm) counts() map[history.Outcome]int {
	counts := map[history.Outcome]int{}
	for _, call := range s.history() {
		counts[call.Outcome]++
	}
	return counts
}

func pick[T any](from []T) T { return from[rand.IntN(len(from))] }
