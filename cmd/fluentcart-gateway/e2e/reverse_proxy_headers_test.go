package e2e

import (
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
)

// recorder stands where a gateway does, and returns the headers that reach it.
func recorder(t *testing.T) (m member, overGRPC chan metadata.MD, overJSON chan *http.Request) {
	t.Helper()
	overGRPC, overJSON = make(chan metadata.MD, 1), make(chan *http.Request, 1)
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
		header, _ := metadata.FromIncomingContext(stream.Context())
		overGRPC <- header
		return status.Error(codes.Unimplemented, "recorded")
	}))
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	json := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { overJSON <- r }))
	t.Cleanup(json.Close)
	admin := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})) // ready
	t.Cleanup(admin.Close)
	return member{listener.Addr().String(), json.Listener.Addr().String(), admin.Listener.Addr().String()}, overGRPC, overJSON
}

// The headers of the caller reach the gateway, and the host too: the origin of a browser's page is compared with it.
func TestReverseProxiesPassTheHeadersOfTheCaller(t *testing.T) {
	want := map[string]string{
		"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tracestate": "vendor=1",
		"x-request-id": "proxied-3", "authorization": "Bearer token",
	}
	for _, proxy := range reverseProxies() {
		t.Run(proxy.name, func(t *testing.T) {
			gateway, overGRPC, overJSON := recorder(t)
			at := proxy.run(t, []member{gateway})
			ctx := metadata.NewOutgoingContext(t.Context(), metadata.New(want))
			if _, err := customerv1.NewCustomerServiceClient(at.connect(t)).GetCustomer(ctx, &customerv1.GetCustomerRequest{CustomerId: 1}); status.Code(err) != codes.Unimplemented {
				t.Fatal(err)
			}
			header, got := <-overGRPC, map[string]string{}
			for name := range want {
				got[name] = strings.Join(header.Get(name), ", ")
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("over gRPC (-want +got):\n%s", diff)
			}

			client := at.overJSON(t, true)
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, client.url+"/v1/customers/1", http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			more := maps.Clone(want)
			maps.Copy(more, map[string]string{"grpc-timeout": "5S", "if-none-match": `"a"`, "if-match": `"b"`})
			for name, value := range more {
				request.Header.Set(name, value)
			}
			response, err := client.http.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			reached, got := <-overJSON, map[string]string{}
			for name := range more {
				got[name] = reached.Header.Get(name)
			}
			if diff := cmp.Diff(more, got); diff != "" || reached.Host != at.jsonAddress() {
				t.Errorf("over JSON, host %s (-want +got):\n%s", reached.Host, diff)
			}
		})
	}
}
