package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// Callers repeat each update with the same request_id until it succeeds, through two gateways that share nothing, in a store that
// loses two answers in five: each update is applied once.
func TestUpdateThatIsRepeatedWithItsRequestIDIsAppliedOnce(t *testing.T) {
	t.Parallel()
	const customers = 10
	updates := 50 * int(stormTime(t)/time.Second)
	store, url := startStore(t, sandbox.Config{Companion: true, Latency: 5 * time.Millisecond, Customers: customers, Fail: failSome(0.4)})
	gateways := []*process{startGateway(t, url, quickAtomicFlags()...), startGateway(t, url, quickAtomicFlags()...)}
	next := make(chan int, updates)
	for i := range updates {
		next <- i
	}
	close(next)
	var calling sync.WaitGroup
	for range 8 {
		calling.Go(func() {
			for i := range next {
				notes, id := notesOf(i), uuid.NewString()
				request := &customerv1.UpdateCustomerRequest{CustomerId: 1001 + int64(i%customers), Customer: &customerv1.Customer{Notes: &notes}, RequestId: id}
				if !waitFor(t, 60*time.Second, func() bool {
					ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond+rand.N(4*time.Second))
					defer cancel()
					_, err := pick(gateways).anyTransport().UpdateCustomer(ctx, request)
					return err == nil
				}) {
					t.Errorf("update %d does not succeed", i)
				}
			}
		})
	}
	calling.Wait()
	store.Wait()
	times := map[string]int{}
	for _, write := range store.Writes() {
		times[write.Sent["notes"]]++
	}
	for i := range updates {
		if got := times[notesOf(i)]; got != 1 {
			t.Errorf("update %d was applied %d times", i, got)
		}
	}
}

func notesOf(update int) string { return fmt.Sprint("update ", update) }
