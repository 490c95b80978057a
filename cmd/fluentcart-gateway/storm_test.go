package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
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

// startStore serves a sandbox on loopback until the test ends.
func startStore(t testing.TB, cfg sandbox.Config) (store *sandbox.Store, url string) {
	t.Helper()
	cfg.KeepLog = true
	store = sandbox.New(cfg)
	server := httptest.NewServer(store)
	t.Cleanup(server.Close)
	t.Cleanup(store.Close)
	return store, server.URL
}

// stormFields are what the calls of a storm write, one or two of them at a time.
var stormFields = []protoreflect.Name{"city", "state", "country", "postcode", "status", "notes"}

// storm is many calls, each of which asks for values that are its own.
type storm struct {
	initial map[int64]map[string]string

	mu    sync.Mutex
	calls []history.Call
}

// newStorm remembers the rows as they are before.
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

// update makes one call, and remembers what came of it.
func (s *storm) update(ctx context.Context, gateway customerv1.CustomerServiceClient, customer int64) history.Call {
	call := history.Call{Customer: customer, Fields: map[string]string{}, Begin: time.Now()}
	s.mu.Lock()
	call.ID = len(s.calls)
	s.calls = append(s.calls, call) // a call that never returns has an unknown outcome
	s.mu.Unlock()

	request := &customerv1.UpdateCustomerRequest{CustomerId: customer, Customer: &customerv1.Customer{}}
	message := request.GetCustomer().ProtoReflect()
	for range 1 + rand.IntN(2) {
		field := stormFields[rand.IntN(len(stormFields))]
		value := fmt.Sprintf("%s %d", field, call.ID)
		call.Fields[string(field)] = value
		message.Set(message.Descriptor().Fields().ByName(field), protoreflect.ValueOfString(value))
	}
	response, err := gateway.UpdateCustomer(ctx, request)
	call.End = time.Now()
	call.Outcome, call.Code = outcomeOf(err)
	if err == nil {
		call.After = map[string]string{}
		answered := response.GetCustomer().ProtoReflect()
		for _, field := range stormFields {
			call.After[string(field)] = answered.Get(answered.Descriptor().Fields().ByName(field)).String()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[call.ID] = call
	return call
}

// outcomeOf is what a caller knows who has read the README.
func outcomeOf(err error) (outcome history.Outcome, code string) {
	if err == nil {
		return history.Written, "OK"
	}
	answered := status.Convert(err)
	reason, state := "", ""
	for _, detail := range answered.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			reason = " " + info.GetReason()
			state = info.GetMetadata()["write_state"]
		}
	}
	code = answered.Code().String() + reason
	switch {
	case state == "unknown", state == "" && answered.Code() != codes.ResourceExhausted:
		return history.Unknown, code // without the gateway's word it is the connection that broke
	default:
		return history.NotWritten, code
	}
}

// history is what there is of calls so far, those under way included.
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

// judge fails the test for everything that should not have happened, once all has.
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

// ids are customers that the sandbox has besides the four.
func ids(n int) []int64 {
	list := make([]int64, n)
	for i := range list {
		list[i] = 1001 + int64(i)
	}
	return list
}

func pick[T any](from []T) T { return from[rand.IntN(len(from))] }
