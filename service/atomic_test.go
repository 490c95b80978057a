package service_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/history"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// atomicSetup is a service in write mode atomic, in front of a store with the companion.
func atomicSetup(fail func(*http.Request) *sandbox.Failure) setup {
	return setup{store: sandbox.Config{Companion: true, Fail: fail}, service: service.Config{WriteMode: service.Atomic}}
}

// failFirstUpdate injects the failure into the first update by the companion, and into no other request.
func failFirstUpdate(failure sandbox.Failure) func(*http.Request) *sandbox.Failure {
	var once sync.Once
	return func(r *http.Request) (f *sandbox.Failure) {
		if r.Method == http.MethodPost {
			once.Do(func() { f = &failure })
		}
		return f
	}
}

// An atomic update takes one request, and so do two of one customer at once, which need not wait for each other.
func TestAtomicUpdateTakesOneRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, atomicSetup(nil))
		advance(time.Second) // the first probe has ended
		var callers sync.WaitGroup
		for call, field := range []string{1: "city", 2: "notes"} {
			callers.Go(func() {
				if field == "" {
					return
				}
				if got := h.update(t.Context(), call, 1, field); got.Outcome != history.Written || got.took() != latency {
					t.Errorf("the call got %s after %v, want OK after %v", got.Code, got.took(), latency)
				}
			})
		}
		callers.Wait()
		h.finish(t)
		h.checkHistory(t)
		if sent := h.transport.requestsWhere(func(r sentRequest) bool { return r.call > 0 }); len(sent) != 2 {
			t.Errorf("%d requests, want 2", len(sent))
		}
	})
}

// The outcome of an update whose answer is lost is known as soon as its cancellation is answered.
func TestLostAnswerOfAnAtomicUpdateHasAKnownOutcome(t *testing.T) {
	for name, row := range map[string]struct {
		failure sandbox.Failure
		outcome history.Outcome
		reason  apierror.Reason
		within  time.Duration
	}{
		"the connection is reset before the store works":  {sandbox.Failure{Work: sandbox.Never, Delivery: sandbox.Reset}, history.NotWritten, apierror.StoreUnavailable, 2 * latency},
		"the connection is reset after the store worked":  {sandbox.Failure{Delivery: sandbox.Reset}, history.Written, "", 2 * latency},
		"half of the answer arrives":                      {sandbox.Failure{Delivery: sandbox.Truncated}, history.Written, "", 2 * latency},
		"PHP dies after the commit":                       {sandbox.Failure{Instead: sandbox.FatalError()}, history.Written, "", 2 * latency},
		"PHP dies before it works":                        {sandbox.Failure{Work: sandbox.Never, Instead: sandbox.FatalError()}, history.NotWritten, apierror.StoreBadAnswer, 2 * latency},
		"PHP is down":                                     {sandbox.Failure{Work: sandbox.Never, Instead: sandbox.BadGateway()}, history.NotWritten, apierror.StoreUnavailable, 2 * latency},
		"a firewall refuses the request":                  {sandbox.Failure{Work: sandbox.Never, Instead: sandbox.ModSecurity(http.StatusForbidden)}, history.NotWritten, apierror.StoreBlocked, 2 * latency},
		"a firewall refuses the answer":                   {sandbox.Failure{Instead: sandbox.ModSecurity(http.StatusForbidden)}, history.Written, "", 2 * latency},
		"a plug-in answers in the companion's place":      {sandbox.Failure{Instead: sandbox.Response{Status: http.StatusOK, ContentType: "application/json", Body: `{"success":true}`}}, history.Written, "", 2 * latency},
		"the answer never comes":                          {sandbox.Failure{Delivery: sandbox.Silent}, history.Written, "", timeout + 2*latency},
		"the request never arrives":                       {sandbox.Failure{Work: sandbox.Never, Delivery: sandbox.Silent}, history.NotWritten, apierror.StoreUnavailable, timeout + 2*latency},
		"the store works after the gateway has given up":  {sandbox.Failure{Work: sandbox.Late, LateBy: 5 * time.Second, Delivery: sandbox.Silent}, history.NotWritten, apierror.StoreUnavailable, timeout + 2*latency},
		"the web server gives up before the store begins": {sandbox.Failure{Work: sandbox.Late, LateBy: 5 * time.Second}, history.NotWritten, apierror.StoreUnavailable, 2 * latency},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHarness(t, atomicSetup(failFirstUpdate(row.failure)))
				advance(time.Second)
				got := h.update(t.Context(), 1, 1, "city")
				if got.Outcome != row.outcome || got.reason != string(row.reason) || got.took() > row.within {
					t.Errorf("the call got %s, %s, %s after %v, want %v, %s within %v", got.Code, got.reason, got.state, got.took(), row.outcome, row.reason, row.within)
				}
				if next := h.update(t.Context(), 2, 1, "notes"); next.Outcome != history.Written || next.took() != latency {
					t.Errorf("the next call got %s after %v", next.Code, next.took())
				}
				h.finish(t)
				h.checkHistory(t)
			})
		})
	}
}

// If the cancellation gets no answer within the caller's time, the outcome is unknown to the caller. The gateway goes on cancelling,
// and other updates of the customer do not wait for that.
func TestCancellationWithoutAnAnswerGoesOnInTheBackground(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answers := make(chan struct{})
		h := newHarness(t, atomicSetup(func(r *http.Request) *sandbox.Failure {
			switch {
			case r.Method == http.MethodPost && r.Context().Value(callKey{}) == 1:
				return &sandbox.Failure{Delivery: sandbox.Reset}
			case sandbox.Cancels(r) && !isClosed(answers):
				return &sandbox.Failure{Work: sandbox.Never, Instead: sandbox.FatalError()} // the breaker does not count it
			}
			return nil
		}))
		advance(time.Second)
		first := h.update(contextEnding(t, byDeadline, 2*time.Second), 1, 1, "city")
		if first.code != codes.DeadlineExceeded || first.state != "unknown" || first.took() != 2*time.Second {
			t.Errorf("the call got %s, %s after %v", first.Code, first.state, first.took())
		}
		if second := h.update(t.Context(), 2, 1, "notes"); second.Outcome != history.Written {
			t.Errorf("the next call got %s, %s", second.Code, second.reason)
		}
		if got := h.service.Writes(); got != (service.Writes{InFlight: 1, InDoubt: 1}) {
			t.Errorf("while the cancellation is repeated there are %+v", got)
		}
		close(answers)
		advance(10 * time.Second)
		if got := h.service.Writes(); got != (service.Writes{}) {
			t.Errorf("after the cancellation was answered there are %+v", got)
		}
		h.finish(t)
		h.checkHistory(t)
		if !strings.Contains(h.log.String(), `"outcome of a write whose caller is gone","customer_id":1,"write_state":"written"`) {
			t.Errorf("the log lacks the outcome:\n%s", h.log.String())
		}
	})
}

// A caller that leaves does not end its update, and the log has the outcome.
func TestAtomicUpdateOutlivesItsCaller(t *testing.T) {
	for name, row := range map[string]struct {
		failure sandbox.Failure
		logged  string
	}{
		"the answer comes":   {sandbox.Failure{Delay: time.Second / 2}, "written"},
		"the answer is lost": {sandbox.Failure{Delay: time.Second / 2, Delivery: sandbox.Reset}, "written"},
		"nothing is done":    {sandbox.Failure{Work: sandbox.Never, Delay: time.Second / 2, Delivery: sandbox.Reset}, "rejected"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHarness(t, atomicSetup(failFirstUpdate(row.failure)))
				advance(time.Second)
				if got := h.update(contextEnding(t, byCancel, 100*time.Millisecond), 1, 1, "city"); got.state != "unknown" || got.took() != 100*time.Millisecond {
					t.Errorf("the call got %s, %s after %v", got.Code, got.state, got.took())
				}
				h.finish(t)
				h.checkHistory(t)
				if !strings.Contains(h.log.String(), `"write_state":"`+row.logged+`"`) {
					t.Errorf("the log lacks the outcome %s:\n%s", row.logged, h.log.String())
				}
			})
		})
	}
}

// An update that had nothing to change has succeeded, so its repetition does not put back what another one has changed since.
func TestRepetitionOfAnUnchangedUpdateWritesNothing(t *testing.T) {
	for name, full := range map[string]string{"by one request": "Ann Lee", "by two, because outer spaces need the stored name": " Ann Lee"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const id = "6f1b0e0c-2c4b-4f0a-9a55-5f0f3c1d7a10"
				h := newHarness(t, atomicSetup(nil))
				advance(time.Second)
				request := &customerv1.UpdateCustomerRequest{CustomerId: 1, Customer: &customerv1.Customer{FullName: &full}, RequestId: id}
				first, err := h.service.UpdateCustomer(t.Context(), request)
				if err != nil || len(first.GetChangedFields()) != 0 {
					t.Fatalf("the update got %v, %v", first, err)
				}
				other := "Bea Lee"
				if _, err := h.service.UpdateCustomer(t.Context(), &customerv1.UpdateCustomerRequest{CustomerId: 1, Customer: &customerv1.Customer{FullName: &other}}); err != nil {
					t.Fatal(err)
				}
				again, err := h.service.UpdateCustomer(t.Context(), request)
				if err != nil || !strings.Contains(again.GetMessage(), "applied already") || again.GetCustomer().GetFullName() != other {
					t.Errorf("the repetition got %v, %v", again, err)
				}
				h.finish(t)
			})
		})
	}
}

// The companion gives an update up for another transaction. It is sent again, as another request.
func TestDeadlockOfAnAtomicUpdateIsRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t, atomicSetup(failFirstUpdate(sandbox.Failure{Cause: "deadlock"})))
		advance(time.Second)
		if got := h.update(t.Context(), 1, 1, "city"); got.Outcome != history.Written || got.took() != 2*latency {
			t.Errorf("the call got %s, %s after %v", got.Code, got.reason, got.took())
		}
		h.finish(t)
		h.checkHistory(t)
	})
}

// repeatable returns an update with a request_id.
func repeatable(requestID, city string) *customerv1.UpdateCustomerRequest {
	return &customerv1.UpdateCustomerRequest{CustomerId: 1, Customer: &customerv1.Customer{City: &city}, RequestId: requestID}
}

// An update with a request_id is applied once. A refused one leaves the id unused.
func TestRequestIDIsAppliedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const id, other = "6f1b0e0c-2c4b-4f0a-9a55-5f0f3c1d7a10", "6f1b0e0c-2c4b-4f0a-9a55-5f0f3c1d7a11"
		h := newHarness(t, atomicSetup(failFirstUpdate(sandbox.Failure{Work: sandbox.Never, Delivery: sandbox.Reset})))
		advance(time.Second)
		call := func(request *customerv1.UpdateCustomerRequest) (string, []string, error) {
			response, err := h.service.UpdateCustomer(context.WithValue(t.Context(), callKey{}, 1), request)
			return response.GetMessage(), response.GetChangedFields(), err
		}
		if _, _, err := call(repeatable(id, "Lyon")); err == nil || apierror.StateOf(apierror.InfoOfError(err)) != apierror.Rejected {
			t.Errorf("the update that was cancelled got %v", err)
		}
		if message, changed, err := call(repeatable(id, "Lyon")); err != nil || message != "Customer updated successfully!" || len(changed) != 1 {
			t.Errorf("the same again got %q, %q, %v", message, changed, err)
		}
		if _, _, err := call(repeatable(other, "Nice")); err != nil {
			t.Errorf("another update got %v", err)
		}
		if message, changed, err := call(repeatable(id, "Lyon")); err != nil || !strings.Contains(message, "applied already") || len(changed) != 1 {
			t.Errorf("the repetition got %q, %q, %v", message, changed, err)
		}
		if _, _, err := call(repeatable(id, "Metz")); err == nil || !strings.Contains(err.Error(), "INVALID_FIELD") {
			t.Errorf("another update with the same id got %v", err)
		}
		h.finish(t)
		if row, _ := h.store.Row(1); valueOrEmpty(row.City) != "Nice" || len(h.writesOf(1)) != 2 {
			t.Errorf("the city is %q after %d writes, want Nice after 2", valueOrEmpty(row.City), len(h.writesOf(1)))
		}
	})
}
