package server_test

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"

	"github.com/fluentcart-gateway/fluentcart-gateway/client"
	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
)

// maxAttempts is that of client/service-config.json.
const maxAttempts = 4

// reasons returns all reasons of the error table.
func reasons(t *testing.T) []apierror.Reason {
	t.Helper()
	source, err := os.ReadFile("../apierror/reason.go")
	if err != nil {
		t.Fatal(err)
	}
	var all []apierror.Reason
	for _, constant := range regexp.MustCompile(`Reason = "([A-Z_]+)"`).FindAllStringSubmatch(string(source), -1) {
		all = append(all, apierror.Reason(constant[1]))
	}
	if len(all) < 30 {
		t.Fatalf("only %d reasons found", len(all))
	}
	return all
}

// attemptsOf returns how often a call that fails with this error is made.
func attemptsOf(err *apierror.Error, retryAfter time.Duration) int {
	code := err.GRPCStatus().Code()
	switch {
	case err.State() == apierror.Unknown, retryAfter > 30*time.Second:
		return 1
	case code == codes.Unavailable, code == codes.ResourceExhausted && retryAfter > 0:
		return maxAttempts
	}
	return 1
}

// The attempts at each error of the table are counted at the server: UNAVAILABLE, and RESOURCE_EXHAUSTED with RetryInfo, are
// repeated, and an unknown outcome never is.
func TestCallsAreRepeatedAsTheServiceConfigSays(t *testing.T) {
	for name, options := range callers {
		for _, reason := range reasons(t) {
			for _, state := range []apierror.WriteState{apierror.NotSent, apierror.Rejected, apierror.Unknown} {
				for _, retryAfter := range []time.Duration{0, 3 * time.Second, 10 * time.Minute} {
					t.Run(fmt.Sprintf("%s/%s/%s/retry after %s", name, reason, state, retryAfter), func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) {
							var details []protoadapt.MessageV1
							if retryAfter > 0 {
								details = append(details, apierror.RetryInfo(retryAfter))
							}
							failure := apierror.New(reason, state, "message", details...)
							gateway, calls := serveCounted(t, scripted{update: func(context.Context, *customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error) {
								return nil, failure
							}})
							defer gateway.stop()
							customers, stop := dialInMemory(t, options(), gateway.grpc.dial)
							defer stop()
							_, err := customers.UpdateCustomer(t.Context(), moveTo(1, "Lyon"))
							checkAttempts(t, calls.take(), attemptsOf(failure, retryAfter), retryAfter)
							if status.Code(err) != failure.GRPCStatus().Code() || client.Reason(err) != string(reason) || client.RetryAfter(err) != retryAfter {
								t.Errorf("the caller gets %v", err)
							}
							if got := client.Outcome(err); (got == client.NotWritten) == (state == apierror.Unknown) {
								t.Errorf("outcome %v", got)
							}
						})
					})
				}
			}
		}
	}
}

// checkAttempts compares the number of attempts, and the times between them with what the gateway asked for.
func checkAttempts(t *testing.T, at []time.Time, want int, retryAfter time.Duration) {
	t.Helper()
	if len(at) != want {
		t.Errorf("%d attempts, want %d", len(at), want)
	}
	for i := 1; i < len(at); i++ {
		if pause := at[i].Sub(at[i-1]); pause < cmp.Or(retryAfter, 800*time.Millisecond) {
			t.Errorf("%v between two attempts", pause)
		}
	}
}

// The same with a real service, in front of a store that fails.
func TestCallsToAFailingStoreAreRepeatedOnlyIfNothingWasWritten(t *testing.T) {
	status503 := &rawAnswer{Status: http.StatusServiceUnavailable, Header: map[string]string{"Retry-After": "7"}, Body: `{"code":"wp_die","message":"","data":{"status":503}}`}
	for name, options := range callers {
		for _, failing := range []struct {
			name     string
			customer int64
			answers  map[string]*rawAnswer
			code     codes.Code
			attempts int
			outcome  client.WriteOutcome
		}{
			{"a store in maintenance", 1, map[string]*rawAnswer{http.MethodGet: status503}, codes.Unavailable, maxAttempts, client.NotWritten},
			{"a store that is in maintenance when it is to write", 1, map[string]*rawAnswer{http.MethodPut: status503}, codes.Unavailable, maxAttempts, client.NotWritten},
			{"a store that limits its rate", 1, map[string]*rawAnswer{http.MethodGet: {Status: http.StatusTooManyRequests, Header: map[string]string{"Retry-After": "7"}}}, codes.ResourceExhausted, maxAttempts, client.NotWritten},
			{"a store that breaks the connection of the read", 1, map[string]*rawAnswer{http.MethodGet: {Cut: true}}, codes.Unavailable, maxAttempts, client.NotWritten},
			{"a store that breaks the connection of the write", 1, map[string]*rawAnswer{http.MethodPut: {Cut: true}}, codes.Unknown, 1, client.Unknown},
			{"a store that does not answer the write", 1, map[string]*rawAnswer{http.MethodPut: {Hang: true}}, codes.Unknown, 1, client.Unknown},
			{"a store that writes and breaks the connection", 1, map[string]*rawAnswer{http.MethodPut: {CutAfter: true}}, codes.OK, 1, client.Written},
			{"a store that cannot update the WordPress user (423)", 3, nil, codes.FailedPrecondition, 1, client.NotWritten},
			{"a store that does not know the customer", 99, nil, codes.NotFound, 1, client.NotWritten},
		} {
			t.Run(name+"/"+failing.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					behind, stopService := newSandboxService(t, service.Config{SettleTime: 2 * time.Second}, answering(failing.answers))
					defer stopService()
					gateway, calls := serveCounted(t, behind)
					defer gateway.stop()
					customers, stop := dialInMemory(t, options(), gateway.grpc.dial)
					defer stop()
					_, err := customers.UpdateCustomer(t.Context(), moveTo(failing.customer, "Lyon"))
					if status.Code(err) != failing.code || client.Outcome(err) != failing.outcome {
						t.Errorf("got %v, outcome %v", err, client.Outcome(err))
					}
					checkAttempts(t, calls.take(), failing.attempts, 0)
				})
			})
		}
	}
}

// A call that could be repeated only after its deadline keeps its error, which says that nothing was written.
func TestNoCallWaitsForAnAttemptAfterItsDeadline(t *testing.T) {
	for name, options := range callers {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				gateway, calls := serveCounted(t, scripted{update: func(context.Context, *customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error) {
					return nil, apierror.New(apierror.StoreUnavailable, apierror.NotSent, "message", apierror.RetryInfo(3*time.Second))
				}})
				defer gateway.stop()
				customers, stop := dialInMemory(t, options(), gateway.grpc.dial)
				defer stop()
				begun := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				_, err := customers.UpdateCustomer(ctx, moveTo(1, "Lyon"))
				if status.Code(err) != codes.Unavailable || client.Outcome(err) != client.NotWritten || time.Since(begun) >= 5*time.Second {
					t.Errorf("after %v: %v", time.Since(begun), err)
				}
				checkAttempts(t, calls.take(), 2, 3*time.Second)
			})
		})
	}
}

// In an outage most calls are not repeated: the retries would be three quarters of the load of a gateway that comes back.
func TestFewCallsAreRepeatedInAnOutage(t *testing.T) {
	for name, options := range callers {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				gateway, calls := serveCounted(t, scripted{update: func(context.Context, *customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error) {
					return nil, apierror.New(apierror.StoreUnavailable, apierror.NotSent, "message", apierror.RetryInfo(time.Second))
				}})
				defer gateway.stop()
				customers, stop := dialInMemory(t, options(), gateway.grpc.dial)
				defer stop()
				for range 100 {
					if _, err := customers.UpdateCustomer(t.Context(), moveTo(1, "Lyon")); status.Code(err) != codes.Unavailable {
						t.Fatal(err)
					}
				}
				if n := len(calls.take()); n < 120 || n > 140 { // 50 tokens, of which each failed attempt costs one
					t.Errorf("%d attempts for 100 calls", n)
				}
			})
		})
	}
}
