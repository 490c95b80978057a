package server_test

import (
	"context"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service"
)

// scripted is a service whose UpdateCustomer is a function.
type scripted struct {
	customerv1.UnimplementedCustomerServiceServer

	update func(context.Context, *customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error)
}

func (s scripted) UpdateCustomer(ctx context.Context, request *customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error) {
	return s.update(ctx, request)
}

func startScripted(t testing.TB, update func(context.Context, *customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error)) *gateway {
	t.Helper()
	g := &gateway{log: &lockedBuffer{}}
	g.serve(t, scripted{update: update}, 30*time.Second)
	return g
}

func TestPanicBecomesAnErrorWithoutItsText(t *testing.T) {
	g := startScripted(t, func(context.Context, *customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error) {
		panic("secret-canary")
	})
	_, err := g.grpc.UpdateCustomer(t.Context(), &customerv1.UpdateCustomerRequest{CustomerId: 1})
	if status.Code(err) != codes.Internal || strings.Contains(err.Error(), "canary") {
		t.Errorf("over gRPC: %v", err)
	}
	if got := errorOutcome(t, status.Convert(err)); got.Reason != "GATEWAY_FAULT" || got.WriteState != "unknown" {
		t.Errorf("over gRPC: reason %q, write_state %q", got.Reason, got.WriteState)
	}
	response, body := g.send(t, http.MethodPut, "/v1/customers/1", `{}`, nil)
	if response.StatusCode != http.StatusInternalServerError || strings.Contains(string(body), "canary") {
		t.Errorf("over JSON: %s: %s", response.Status, body)
	}
	log := g.log.String()
	if strings.Count(log, `"panic":"string"`) != 2 || !strings.Contains(log, "call_test.go") || strings.Contains(log, "canary") {
		t.Errorf("the log lacks the panics and their places, or has their texts:\n%s", log)
	}
	if strings.Count(log, `"code":"INTERNAL"`) != 2 {
		t.Errorf("the log lacks the calls that panicked:\n%s", log)
	}
}

func TestEachCallHasADeadlineOfAtMostAMinute(t *testing.T) {
	left := make(chan time.Duration, 1)
	g := startScripted(t, func(ctx context.Context, _ *customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error) {
		deadline, ok := ctx.Deadline()
		if !ok {
			t.Error("no deadline")
		}
		left <- time.Until(deadline)
		return &customerv1.UpdateCustomerResponse{}, nil
	})
	for _, caller := range []struct {
		name          string
		timeout       time.Duration
		header        string
		least, atMost time.Duration
	}{
		{"without a deadline it is the default", 0, "", 20 * time.Second, 30 * time.Second},
		{"a short one is kept", 15 * time.Second, "15S", 5 * time.Second, 15 * time.Second},
		{"a long one is shortened", time.Hour, "1H", 45 * time.Second, 60 * time.Second},
		{"one that is too long for a time.Duration is shortened", math.MaxInt64, "99999999H", 45 * time.Second, 60 * time.Second},
	} {
		t.Run(caller.name, func(t *testing.T) {
			ctx, header := t.Context(), http.Header{}
			if caller.timeout > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, caller.timeout)
				defer cancel()
				header.Set("Grpc-Timeout", caller.header)
			}
			if _, err := g.grpc.UpdateCustomer(ctx, &customerv1.UpdateCustomerRequest{CustomerId: 1}); err != nil {
				t.Fatal(err)
			}
			overGRPC := <-left
			g.send(t, http.MethodPut, "/v1/customers/1", `{}`, header)
			overJSON := <-left
			for _, got := range []time.Duration{overGRPC, overJSON} {
				if got < caller.least || got > caller.atMost {
					t.Errorf("%v left, want %v to %v", got, caller.least, caller.atMost)
				}
			}
		})
	}
}

func TestRequestIDIsKeptIfItIsSafeToLog(t *testing.T) {
	g := start(t, options{})
	for _, given := range []struct {
		name, id string
		kept     bool
	}{
		{"a plain one", "order-7:retry.2", true},
		{"none", "", false},
		{"one with spaces", "a b", false},
		{"one that is too long", strings.Repeat("x", 65), false},
	} {
		t.Run(given.name, func(t *testing.T) {
			var header metadata.MD
			ctx := metadata.AppendToOutgoingContext(t.Context(), "x-request-id", given.id)
			_, err := g.grpc.UpdateCustomer(ctx, &customerv1.UpdateCustomerRequest{CustomerId: 1, Customer: &customerv1.Customer{}}, grpc.Header(&header))
			if err != nil {
				t.Fatal(err)
			}
			response, _ := g.send(t, http.MethodPut, "/v1/customers/1", `{}`, http.Header{"X-Request-Id": {given.id}})
			answered := append(header.Get("x-request-id"), response.Header.Values("X-Request-Id")...)
			if len(answered) != 2 {
				t.Fatalf("returned %q", answered)
			}
			for _, id := range answered {
				if (id == given.id) != given.kept || id == "" {
					t.Errorf("returned %q", id)
				}
				if !strings.Contains(g.log.String(), `"request_id":"`+id+`"`) {
					t.Errorf("the log lacks %q", id)
				}
			}
		})
	}
}

// gRPC clients with a retry policy would send the write again (F22).
func TestUnknownOutcomeSendsRetryPushback(t *testing.T) {
	g := start(t, options{config: service.Config{SettleTime: time.Millisecond}, wrap: answering(map[string]*rawAnswer{http.MethodPut: {Cut: true}})})
	var trailer metadata.MD
	_, err := g.grpc.UpdateCustomer(t.Context(), &customerv1.UpdateCustomerRequest{
		CustomerId: 1, Customer: &customerv1.Customer{City: proto.String("Lyon")},
	}, grpc.Trailer(&trailer))
	if status.Code(err) != codes.Unknown {
		t.Fatalf("got %v", err)
	}
	if diff := cmp.Diff([]string{"-1"}, trailer.Get("grpc-retry-pushback-ms")); diff != "" {
		t.Errorf("trailer (-want +got):\n%s", diff)
	}
}

// gRPC decodes a request before the interceptors run; a call whose request cannot be decoded is logged all the same.
func TestUndecodableRequestIsLogged(t *testing.T) {
	g := start(t, options{})
	ctx := metadata.AppendToOutgoingContext(t.Context(), "x-request-id", "garbage-1")
	_, err := g.grpc.UpdateCustomer(ctx, nil, grpc.ForceCodec(rawRequest("\xff")))
	if status.Code(err) != codes.InvalidArgument {
		t.Errorf("got %v", err)
	}
	log := g.log.String()
	for _, part := range []string{`"request_id":"garbage-1"`, `"code":"INVALID_ARGUMENT"`, `"reason":"INVALID_FIELD","write_state":"not_sent"`} {
		if strings.Count(log, part) != 1 {
			t.Errorf("the log lacks %s:\n%s", part, log)
		}
	}
}

// A caller that is gone gets no response, so the operator must find the outcome of the write in the log.
func TestUnknownOutcomeIsLoggedAfterItsCallerHasLeft(t *testing.T) {
	ctx, leave := context.WithCancel(t.Context())
	left := make(chan struct{})
	g := start(t, options{config: service.Config{SettleTime: 200 * time.Millisecond}, wrap: func(store http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPut {
				leave()
				<-left
				panic(http.ErrAbortHandler)
			}
			store.ServeHTTP(w, r)
		})
	}})
	_, err := g.grpc.UpdateCustomer(ctx, &customerv1.UpdateCustomerRequest{CustomerId: 1, Customer: &customerv1.Customer{City: proto.String("Lyon")}})
	if status.Code(err) != codes.Canceled {
		t.Errorf("got %v", err)
	}
	close(left)
	g.stopNow(t)
	log := g.log.String()
	if !strings.Contains(log, `"reason":"WRITE_OUTCOME_UNKNOWN","write_state":"unknown"`) {
		t.Errorf("the log lacks the error of the call:\n%s", log)
	}
	if !strings.Contains(log, `"msg":"outcome of a write whose caller is gone","customer_id":1,"write_state":"unknown"`) {
		t.Errorf("the log lacks the outcome:\n%s", log)
	}
}

// gRPC sends errors in headers, of which Java clients accept 8 KiB by default.
func TestErrorsFitIntoTheHeadersThatClientsAccept(t *testing.T) {
	g := start(t, options{})
	paths := make([]string, 100)
	for i := range paths {
		paths[i] = strings.Repeat("漢", 60)
	}
	conn, err := grpc.NewClient(g.conn.Target(), grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithMaxHeaderListSize(8<<10))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_, err = customerv1.NewCustomerServiceClient(conn).UpdateCustomer(t.Context(), &customerv1.UpdateCustomerRequest{
		CustomerId: 1, Customer: &customerv1.Customer{}, UpdateMask: &fieldmaskpb.FieldMask{Paths: paths},
	})
	if got := errorOutcome(t, status.Convert(err)); got.Code != "INVALID_ARGUMENT" || len(got.Fields) != 9 {
		t.Errorf("got %v with %d fields", err, len(got.Fields))
	}
}

// The log has one line for each call, and none of the data that the call carried.
func TestLogHoldsNoPersonalData(t *testing.T) {
	g := start(t, options{})
	canaries := []string{"canary-mail@example.com", "Canaryfirst", "Canarylast", "Canarycity", "canary notes"}
	body := `{"email":"canary-mail@example.com","full_name":"Canaryfirst Canarylast","city":"Canarycity","notes":"canary notes"}`
	for _, path := range []string{"1", "2", "3", "99", "1?etag=wrong"} {
		g.send(t, http.MethodPut, "/v1/customers/"+path, body, nil)
	}
	g.send(t, http.MethodPut, "/v1/customers/1", `{"Canarycity":1}`, nil)
	_, log, _ := strings.Cut(g.log.String(), "\n") // without the line "ready"
	for _, canary := range canaries {
		if strings.Contains(log, canary) {
			t.Errorf("the log holds %q:\n%s", canary, log)
		}
	}
	if got := strings.Count(log, "\n"); got != 6 {
		t.Errorf("%d lines for 6 calls:\n%s", got, log)
	}
}
