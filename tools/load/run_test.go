package main

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
)

// server is a gRPC server that answers as update says, with the number of the call from 1 on.
type server struct {
	customerv1.UnimplementedCustomerServiceServer
	update func(ctx context.Context, number int64, request *customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error)
	calls  atomic.Int64
}

func (s *server) UpdateCustomer(ctx context.Context, request *customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error) {
	return s.update(ctx, s.calls.Add(1), request)
}

// serve returns the address of the server.
func (s *server) serve(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it ends with the test
	if err != nil {
		t.Fatal(err)
	}
	g := grpc.NewServer()
	customerv1.RegisterCustomerServiceServer(g, s)
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := g.Serve(listener); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		g.Stop()
		serving.Wait()
	})
	return listener.Addr().String()
}

// load runs the program, and returns what it printed to stdout and to stderr.
func load(ctx context.Context, t testing.TB, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, log syncBuilder
	cfg, err := parse(args, &log)
	if err != nil {
		t.Fatal(err)
	}
	err = run(ctx, cfg, &out, &log)
	return out.String(), log.String(), err
}

// syncBuilder is a strings.Builder that several goroutines may write to.
type syncBuilder struct {
	mu sync.Mutex
	strings.Builder
}

func (b *syncBuilder) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Builder.Write(p)
}

func applied(request *customerv1.UpdateCustomerRequest) *customerv1.UpdateCustomerResponse {
	return &customerv1.UpdateCustomerResponse{Customer: &customerv1.Customer{Notes: request.GetCustomer().Notes}}
}

func TestRunningGatewayIsSentTheCallsOnceEach(t *testing.T) {
	var mu sync.Mutex
	seen, customers := map[string]bool{}, map[int64]bool{}
	s := &server{update: func(_ context.Context, _ int64, request *customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error) {
		mu.Lock()
		defer mu.Unlock()
		seen[request.GetCustomer().GetNotes()], customers[request.GetCustomerId()] = true, true
		return applied(request), nil
	}}
	stdout, _, err := load(t.Context(), t, "-addr", s.serve(t), "-customers=7,9", "-calls=100", "-warmup=10")
	if err != nil {
		t.Fatal(err)
	}
	if s.calls.Load() != 110 || len(seen) != 110 || len(customers) != 2 || !customers[7] || !customers[9] {
		t.Errorf("%d calls with %d notes, of the customers %v", s.calls.Load(), len(seen), customers)
	}
	for _, part := range []string{"Overwrites the notes of the customers 7,9 of the store behind the gateway", "100 calls in", "What reached the store is not known"} {
		if !strings.Contains(stdout, part) {
			t.Errorf("no %q in:\n%s", part, stdout)
		}
	}
	if before := strings.Index(stdout, "Overwrites the notes"); before != 0 {
		t.Errorf("what is overwritten is not said first:\n%s", stdout)
	}
}

func TestTokenIsSentWithEveryCall(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("secret-token\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &server{update: func(ctx context.Context, _ int64, request *customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error) {
		if got := metadata.ValueFromIncomingContext(ctx, "authorization"); !slices.Equal(got, []string{"Bearer secret-token"}) {
			t.Errorf("authorization: %q", got)
		}
		return applied(request), nil
	}}
	stdout, stderr, err := load(t.Context(), t, "-addr", s.serve(t), "-customers=1", "-calls=10", "-token-file", file)
	if err != nil || strings.Contains(stdout+stderr, "secret-token") {
		t.Errorf("%v\n%s\n%s", err, stdout, stderr)
	}
}

func TestEveryUnexpectedOutcomeFailsTheRun(t *testing.T) {
	fault, err := status.New(codes.Internal, "internal error").WithDetails(&errdetails.ErrorInfo{
		Domain: "fluentcart-gateway", Reason: "GATEWAY_FAULT", Metadata: map[string]string{"write_state": "unknown"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name   string
		answer func(*customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error)
		want   string
	}{
		{"a fault", func(*customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error) {
			return nil, fault.Err()
		}, "1 × INTERNAL GATEWAY_FAULT unknown"},
		{"an error without details", func(*customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error) {
			return nil, status.Error(codes.Unknown, "?")
		}, "1 × UNKNOWN"},
		{"an OK without the update", func(*customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error) {
			return &customerv1.UpdateCustomerResponse{}, nil
		}, "1 × OK OTHER_NOTES"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := &server{update: func(_ context.Context, number int64, request *customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error) {
				if number == 20 {
					return row.answer(request)
				}
				return applied(request), nil
			}}
			stdout, _, err := load(t.Context(), t, "-addr", s.serve(t), "-customers=1", "-calls=30", "-allow=OVERLOADED")
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("error %v, want %q\n%s", err, row.want, stdout)
			}
		})
	}
}

func TestGatewayThatCannotBeCalledEndsTheRunAtOnce(t *testing.T) {
	s := &server{update: func(ctx context.Context, _ int64, _ *customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error) {
		if token := metadata.ValueFromIncomingContext(ctx, "authorization"); token != nil {
			t.Errorf("got %s", token)
		}
		return nil, status.Error(codes.Unauthenticated, "no token")
	}}
	stdout, _, err := load(t.Context(), t, "-addr", s.serve(t), "-customers=1")
	if err == nil || err.Error() != "the first call ended with UNAUTHENTICATED: no token" || s.calls.Load() != 1 {
		t.Errorf("%v after %d calls\n%s", err, s.calls.Load(), stdout)
	}
	if _, _, err := load(t.Context(), t, "-addr", "127.0.0.1:1", "-customers=1"); err == nil || !strings.Contains(err.Error(), "the first call ended with UNAVAILABLE: ") {
		t.Errorf("no gateway: %v", err)
	}
	if _, _, err := load(t.Context(), t, "-addr", "192.0.2.1:1", "-customers=1"); err == nil || !strings.Contains(err.Error(), "add both -allow-remote") {
		t.Errorf("another machine: %v", err)
	}
}

func TestInterruptedRunPrintsWhatItHas(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	s := &server{update: func(_ context.Context, number int64, request *customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error) {
		if number == 50 {
			interrupt()
		}
		return applied(request), nil
	}}
	stdout, _, err := load(ctx, t, "-addr", s.serve(t), "-customers=1", "-duration=1m", "-warmup=5", "-parallel=2")
	if err == nil || err.Error() != "interrupted" {
		t.Errorf("error %v", err)
	}
	if !strings.Contains(stdout, " calls in ") || strings.Contains(stdout, "\n0 calls in") || strings.Contains(stdout, cutOff) || s.calls.Load() > 60 {
		t.Errorf("after %d calls:\n%s", s.calls.Load(), stdout)
	}
}

func TestTimeoutFailsTheRun(t *testing.T) {
	s := &server{update: func(ctx context.Context, number int64, request *customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error) {
		if number > 5 {
			<-ctx.Done() // the deadline of the call, which is before that of the run
			return nil, status.FromContextError(ctx.Err()).Err()
		}
		return applied(request), nil
	}}
	_, _, err := load(t.Context(), t, "-addr", s.serve(t), "-customers=1", "-calls=1000", "-warmup=5", "-deadline=100ms", "-timeout=500ms")
	if err == nil || !strings.Contains(err.Error(), "stopped by the -timeout of 500ms") || !strings.Contains(err.Error(), "DEADLINE_EXCEEDED") {
		t.Errorf("error %v", err)
	}
}

func TestJSONIsAllThatStdoutGets(t *testing.T) {
	s := &server{update: func(_ context.Context, _ int64, request *customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error) {
		return applied(request), nil
	}}
	stdout, stderr, err := load(t.Context(), t, "-addr", s.serve(t), "-customers=1", "-calls=10", "-json")
	if err != nil || !strings.HasPrefix(stdout, "{\n") || !strings.HasSuffix(stdout, "}\n") || !strings.Contains(stderr, "Overwrites the notes") {
		t.Errorf("%v\n%s\n%s", err, stdout, stderr)
	}
}
