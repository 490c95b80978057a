package server_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/tap"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server/interceptor"
)

// FuzzHeaders sends any headers and metadata over both transports. Whatever they are, the store gets its usual requests
// or none, the service sees only a request id, and the response has known headers only.
func FuzzHeaders(f *testing.F) {
	hostile := loadHostileHeaders(f)
	for _, header := range append(append(hostile.ignored(), hostile.IgnoredOverJSON...), hostile.Credentials...) {
		f.Add(latin1(header))
	}
	for _, refused := range hostile.RefusedOverJSON {
		f.Add(latin1(refused.Header))
	}
	f.Add(latin1(strings.Join(hostile.ignored(), "\r\n")))
	modes := map[string]*fuzzedMode{}
	for _, e := range callerModes(f) {
		if e.name == "mtls" {
			continue // it has no header
		}
		g, store := startRecorded(f, &forgetfulStore{}, e.options)
		modes[e.name] = &fuzzedMode{callerMode: e, gateway: g, store: store, golden: golden(f, e.forwarded)}
	}
	seen := make(chan metadata.MD, 1)
	inside := startScripted(f, func(ctx context.Context, _ *customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error) {
		md, _ := metadata.FromIncomingContext(ctx)
		seen <- md
		return &customerv1.UpdateCustomerResponse{}, nil
	})
	inside.callers = auth.Anyone{}
	cfg := interceptor.Config{
		Transport: interceptor.GRPC, Callers: auth.Anyone{}, Metrics: interceptor.NewMetrics(), Logger: inside.logger(), DefaultTimeout: time.Minute,
	}
	cfg.Rejections = interceptor.NewRejectionLog(cfg.Transport, cfg.Metrics, cfg.Logger)
	entrance, chain := interceptor.NewEntrance(cfg), interceptor.Unary(cfg)
	f.Fuzz(func(t *testing.T, headers string) {
		header, md := fuzzed(headers)
		for name, mode := range modes {
			response := mode.send(t, header)
			sent := mode.store.take()
			if sent != "" && !strings.HasPrefix(mode.golden, sent) || response.StatusCode == http.StatusOK && sent != mode.golden {
				t.Errorf("%s: %s; requests to the store (-want +got):\n%s", name, response.Status, cmp.Diff(mode.golden, sent))
			}
			if name != "none" && len(header["Authorization"]) > 0 && (sent != "" || response.StatusCode < 400) {
				t.Errorf("%s: with a second Authorization: %s; the store got %q", name, response.Status, sent)
			}
			checkResponseHeader(t, headers, response)
		}

		request, _ := http.NewRequestWithContext(t.Context(), http.MethodPatch, "http://localhost/v1/customers/1", strings.NewReader(lyon))
		request.Header = header.Clone()
		recorded := httptest.NewRecorder()
		inside.json.ServeHTTP(recorded, request)
		if recorded.Code == http.StatusOK {
			checkNoMetadata(t, "JSON", <-seen)
		}

		stream := &sentHeader{}
		ctx := grpc.NewContextWithServerTransportStream(metadata.NewIncomingContext(t.Context(), md), stream)
		ctx, err := entrance.Tap(ctx, &tap.Info{FullMethodName: stream.Method(), Header: md})
		if err != nil && apierror.InfoOfError(err).GetReason() == string(apierror.InvalidField) {
			return // too many headers
		}
		if err != nil {
			t.Fatalf("gRPC: %v", err)
		}
		if err := through(ctx, chain, func(ctx context.Context) {
			md, _ := metadata.FromIncomingContext(ctx)
			checkNoMetadata(t, "gRPC", md)
		}); err != nil {
			t.Errorf("gRPC: %v", err)
		}
		if ids := stream.header.Get("x-request-id"); len(stream.header) != 1 || len(ids) != 1 || !plainID.MatchString(ids[0]) {
			t.Errorf("the response's metadata is %v", stream.header)
		}
	})
}

// fuzzedMode is a way to authenticate, and a gateway with its store.
type fuzzedMode struct {
	callerMode

	gateway *gateway
	store   *recordingListener
	golden  string
}

// send updates customer 1 with a header, in addition to the credentials of the mode.
func (w *fuzzedMode) send(t *testing.T, header http.Header) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, "http://localhost/v1/customers/1", strings.NewReader(lyon))
	if err != nil {
		t.Fatal(err)
	}
	request.Header = header.Clone()
	if name, value, ok := strings.Cut(w.authorization, ": "); ok {
		request.Header.Add(name, value)
	}
	response := httptest.NewRecorder()
	w.gateway.json.ServeHTTP(response, request)
	return response.Result()
}

// fuzzed returns lines as a header and as metadata. Grpc-Timeout is left out: a short one could end a call anywhere.
func fuzzed(lines string) (http.Header, metadata.MD) {
	header, md := http.Header{}, metadata.MD{}
	for line := range strings.SplitSeq(lines, "\n") {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\r"), ":")
		if value = strings.TrimSpace(value); !strings.EqualFold(name, "Grpc-Timeout") {
			header.Add(name, value)
			md.Append(name, value)
		}
	}
	return header, md
}

var plainID = regexp.MustCompile(`^[A-Za-z0-9_.:-]{1,64}$`)

func checkNoMetadata(t *testing.T, where string, md metadata.MD) {
	t.Helper()
	for key, values := range md {
		t.Errorf("%s: there is %s: %q", where, key, values)
	}
}

// through runs a call through the chain.
func through(ctx context.Context, chain grpc.UnaryServerInterceptor, inside func(context.Context)) error {
	info := &grpc.UnaryServerInfo{FullMethod: customerv1.CustomerService_UpdateCustomer_FullMethodName}
	_, err := chain(ctx, &customerv1.UpdateCustomerRequest{CustomerId: 1}, info, func(ctx context.Context, _ any) (any, error) {
		inside(ctx)
		return &customerv1.UpdateCustomerResponse{}, nil
	})
	return err
}

// sentHeader is the stream of a call that keeps the header of the response.
type sentHeader struct{ header metadata.MD }

func (*sentHeader) Method() string { return customerv1.CustomerService_UpdateCustomer_FullMethodName }

func (s *sentHeader) SetHeader(md metadata.MD) error {
	s.header = metadata.Join(s.header, md)
	return nil
}
func (s *sentHeader) SendHeader(md metadata.MD) error { return s.SetHeader(md) }
func (*sentHeader) SetTrailer(metadata.MD) error      { return nil }
