package e2e

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// The configurations of deploy/ pass calls and answers as they are, over TLS, from HTTP/1.1 and HTTP/2.
func TestReverseProxiesPassCalls(t *testing.T) {
	store, storeURL := startStore(t, sandbox.Config{Fail: func(r *http.Request) *sandbox.Failure {
		if strings.HasSuffix(r.URL.Path, "/4") {
			return &sandbox.Failure{Delay: 3 * time.Second}
		}
		return nil
	}})
	members := newMembers(t, 1)
	startGateway(t, storeURL, members[0].flags()...).becomes(t, http.StatusOK, "ready\n")
	for _, proxy := range reverseProxies() {
		t.Run(proxy.name, func(t *testing.T) {
			at := proxy.run(t, members)
			conn := at.connect(t)
			ways := map[string]customerv1.CustomerServiceClient{
				"gRPC": customerv1.NewCustomerServiceClient(conn), "JSON over HTTP/1.1": at.overJSON(t, false), "JSON over HTTP/2": at.overJSON(t, true),
			}
			for way, client := range ways {
				t.Run(way, func(t *testing.T) { checkCalls(t, client, store, proxy.name+" "+way) })
			}
			t.Run("gRPC alone", func(t *testing.T) { checkGRPC(t, at, conn) })
			t.Run("JSON alone", func(t *testing.T) { checkJSON(t, at.overJSON(t, true)) })
		})
	}
}

// checkCalls checks what both transports do.
func checkCalls(t *testing.T, client customerv1.CustomerServiceClient, store *sandbox.Store, city string) {
	t.Helper()
	updated, err := client.UpdateCustomer(t.Context(), &customerv1.UpdateCustomerRequest{CustomerId: 1, Customer: &customerv1.Customer{City: &city}})
	if err != nil || updated.GetCustomer().GetCity() != city {
		t.Fatalf("the update returns %v, %v", updated, err)
	}
	read, err := client.GetCustomer(t.Context(), &customerv1.GetCustomerRequest{CustomerId: 1})
	if row, _ := store.Row(1); err != nil || read.GetCustomer().GetCity() != city || *row.City != city {
		t.Errorf("the read returns %v, %v; the store has %v", read, err, row)
	}
	notes := strings.Repeat("n", 64<<10-100)
	if _, err := client.UpdateCustomer(t.Context(), &customerv1.UpdateCustomerRequest{CustomerId: 1, Customer: &customerv1.Customer{Notes: &notes}}); err != nil {
		t.Errorf("a message of 64 KiB: %v", err)
	}
	_, err = client.GetCustomer(t.Context(), &customerv1.GetCustomerRequest{CustomerId: 99})
	if got := status.Convert(err); got.Code() != codes.NotFound || reasonOf(got) != "CUSTOMER_NOT_FOUND" {
		t.Errorf("a customer that does not exist: %v", got)
	}
	long := strings.Repeat("x", 300)
	_, err = client.UpdateCustomer(t.Context(), &customerv1.UpdateCustomerRequest{CustomerId: 1, Customer: &customerv1.Customer{
		Email: &long, FullName: &long, City: &long, State: &long, Country: &long, Postcode: &long, Status: &long,
	}})
	if got := status.Convert(err); got.Code() != codes.InvalidArgument || violationsOf(got) != 8 {
		t.Errorf("an error with many details: %v", got)
	}
}

func reasonOf(s *status.Status) string {
	for _, detail := range s.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			return info.GetReason()
		}
	}
	return ""
}

func violationsOf(s *status.Status) int {
	for _, detail := range s.Details() {
		if bad, ok := detail.(*errdetails.BadRequest); ok {
			return len(bad.GetFieldViolations())
		}
	}
	return 0
}

func checkGRPC(t *testing.T, at proxyAddress, conn *grpc.ClientConn) {
	t.Helper()
	var header, trailer metadata.MD
	ctx := metadata.AppendToOutgoingContext(t.Context(), "x-request-id", "proxied-1", "x-filler", strings.Repeat("f", 15<<10))
	client := customerv1.NewCustomerServiceClient(conn)
	if _, err := client.GetCustomer(ctx, &customerv1.GetCustomerRequest{CustomerId: 2}, grpc.Header(&header)); err != nil || fmt.Sprint(header["x-request-id"]) != "[proxied-1]" {
		t.Errorf("a read with headers of 15 KiB returns %v; the header is %v", err, header)
	}
	if _, err := client.GetCustomer(ctx, &customerv1.GetCustomerRequest{CustomerId: 99}, grpc.Trailer(&trailer)); err == nil || fmt.Sprint(trailer["x-request-id"]) != "[proxied-1]" {
		t.Errorf("the trailer of an error is %v", trailer)
	}

	// The client of this call has no deadline of its own, so the answer is the gateway's.
	message, err := proto.Marshal(&customerv1.GetCustomerRequest{CustomerId: 4})
	if err != nil {
		t.Fatal(err)
	}
	frame := append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message))), message...)
	call, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://"+at.grpcAddress()+customerv1.CustomerService_GetCustomer_FullMethodName, bytes.NewReader(frame))
	if err != nil {
		t.Fatal(err)
	}
	call.Header = http.Header{"Content-Type": {"application/grpc"}, "Te": {"trailers"}, "Grpc-Timeout": {"200m"}}
	begin := time.Now()
	answer, err := at.overJSON(t, true).http.Do(call)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if got := answer.Header.Get("Grpc-Status"); got != "4" || time.Since(begin) > 2*time.Second {
		t.Errorf("a call with a deadline of 200 ms ends after %s with %v", time.Since(begin), answer.Header)
	}

	health := healthv1.NewHealthClient(conn)
	if got, err := health.Check(t.Context(), &healthv1.HealthCheckRequest{}); err != nil || got.GetStatus() != healthv1.HealthCheckResponse_SERVING {
		t.Errorf("the health check returns %v, %v", got, err)
	}
	watch, err := health.Watch(t.Context(), &healthv1.HealthCheckRequest{})
	if err != nil {
		t.Fatal(err)
	}
	want := codes.Unimplemented // where a connection is to all gateways
	if at.grpcPort != at.jsonPort {
		want = codes.OK
	}
	if _, err := watch.Recv(); status.Code(err) != want {
		t.Errorf("watching the health returns %v", err)
	}
	reflection, err := reflectionv1.NewServerReflectionClient(conn).ServerReflectionInfo(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := reflection.Send(&reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{}}); err != nil {
		t.Fatal(err)
	}
	if got, err := reflection.Recv(); err != nil || len(got.GetListServicesResponse().GetService()) < 3 {
		t.Errorf("reflection returns %v, %v", got, err)
	}
	_ = reflection.CloseSend()
}

func checkJSON(t *testing.T, client jsonClient) {
	t.Helper()
	send := func(method, path, body string, header ...string) (*http.Response, string) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, client.url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(header); i += 2 {
			request.Header.Set(header[i], header[i+1])
		}
		response, err := client.http.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		content, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response, string(content)
	}
	const path = "/v1/customers/2"
	read, _ := send(http.MethodGet, path, "", "X-Request-Id", "proxied-2", "X-Filler", strings.Repeat("f", 15<<10))
	etag := read.Header.Get("Etag")
	if read.StatusCode != http.StatusOK || etag == "" || read.Header.Get("X-Request-Id") != "proxied-2" {
		t.Errorf("a read with headers of 15 KiB returns %d, %v", read.StatusCode, read.Header)
	}
	for _, row := range []struct {
		name               string
		method, path, body string
		header             []string
		status             int
		body2              string // a part of the answer
	}{
		{"a version that the caller has", http.MethodGet, path, "", []string{"If-None-Match", etag}, http.StatusNotModified, ""},
		{"a HEAD", http.MethodHead, path, "", nil, http.StatusOK, ""},
		{"FluentCart's own call", http.MethodPut, "/wp-json/fluent-cart/v2/customers/2", `{"city":"Lyon"}`, nil, http.StatusOK, `"city":"Lyon"`},
		{"a version that is not the stored one", http.MethodPatch, path, `{"city":"Nice"}`, []string{"If-Match", `"other"`}, http.StatusPreconditionFailed, "ETAG_MISMATCH"},
		{"a deadline of 200 ms", http.MethodGet, "/v1/customers/4", "", []string{"Grpc-Timeout", "200m"}, http.StatusGatewayTimeout, "DEADLINE_PASSED"},
		{"a body that is too large", http.MethodPut, path, `{"notes":"` + strings.Repeat("n", 400<<10) + `"}`, nil, http.StatusRequestEntityTooLarge, "must be at most 393216 bytes"},
		{"a page of another origin", http.MethodPatch, path, `{"city":"Oslo"}`, []string{"Origin", "https://other.example"}, http.StatusForbidden, ""},
		{"a page of the gateway's origin", http.MethodPatch, path, `{"city":"Rome"}`, []string{"Origin", client.url}, http.StatusOK, ""},
		{"metrics", http.MethodGet, "/metrics", "", nil, http.StatusNotFound, ""},
		{"readiness", http.MethodGet, "/readyz", "", nil, http.StatusNotFound, ""},
		{"profiles", http.MethodGet, "/debug/pprof/", "", nil, http.StatusNotFound, ""},
	} {
		response, content := send(row.method, row.path, row.body, row.header...)
		if response.StatusCode != row.status || !strings.Contains(content, row.body2) {
			t.Errorf("%s: %d, %.300s, want %d, %s", row.name, response.StatusCode, content, row.status, row.body2)
		}
		if row.method == http.MethodHead && response.Header.Get("Etag") != etag {
			t.Errorf("%s: the etag is %s", row.name, response.Header.Get("Etag"))
		}
	}
}
