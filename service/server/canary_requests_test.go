package server_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
)

// request is one request of a test, over gRPC or over JSON.
type request struct {
	name string
	call *customerv1.UpdateCustomerRequest // over gRPC
	raw  []byte                            // over gRPC in its place
	// Over JSON:
	method, path, body string
	header             http.Header
}

// requestsToTheStore are those that reach the store, over both transports.
func requestsToTheStore() []request {
	return []request{
		{name: "all fields", call: &customerv1.UpdateCustomerRequest{CustomerId: 1, Customer: sent()}},
		{name: "one field", call: &customerv1.UpdateCustomerRequest{CustomerId: 1, Customer: sent(), UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"city"}}}},
		{name: "all fields", method: http.MethodPut, path: "/v1/customers/1", body: sentJSON},
		{name: "one field", method: http.MethodPatch, path: "/v1/customers/1", body: `{"city":"Zq8xcity"}`},
	}
}

// allRequests have canaries in each place that a caller can fill.
func allRequests() []request {
	canary := http.Header{
		"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte("zq8xuser:zq8xpassword"))}, "Cookie": {"zq8xcookie=zq8xvalue"},
		"X-Request-Id": {"zq8x id"}, "X-Forwarded-For": {"zq8xhost"}, "X-Zq8x": {"zq8x"}, "User-Agent": {"zq8xagent"}, "Referer": {"https://zq8x.example/zq8x"},
		"Grpc-Metadata-Zq8x": {"zq8x"},
	}
	with := func(name, value string) http.Header {
		header := canary.Clone()
		header.Set(name, value)
		return header
	}
	masked := func(paths ...string) *customerv1.UpdateCustomerRequest {
		return &customerv1.UpdateCustomerRequest{CustomerId: 1, Customer: sent(), UpdateMask: &fieldmaskpb.FieldMask{Paths: paths}}
	}
	long := sent()
	long.City, long.Email, long.FullName = proto.String(strings.Repeat("zq8x ", 50)), proto.String("zq8x at zq8x"), proto.String("")
	linked := &customerv1.Customer{UserId: proto.Int64(77), Notes: proto.String("zq8xnote")}
	list := append(requestsToTheStore(), []request{
		{name: "to be validated only", call: &customerv1.UpdateCustomerRequest{CustomerId: 1, Customer: sent(), ValidateOnly: true}},
		{name: "an etag", call: &customerv1.UpdateCustomerRequest{CustomerId: 1, Customer: sent(), Etag: "zq8xetag"}},
		{name: "an etag that is too long", call: &customerv1.UpdateCustomerRequest{CustomerId: 1, Etag: strings.Repeat("zq8x", 99)}},
		{name: "what breaks the rules", call: &customerv1.UpdateCustomerRequest{CustomerId: 1, Customer: long}},
		{name: "paths that are no names", call: masked("zq8x@host", "customer.zq8x mail", "Zq8x Last", "city")},
		{name: "another user", call: &customerv1.UpdateCustomerRequest{CustomerId: 1, Customer: linked}},
		{name: "the e-mail of a linked customer", call: &customerv1.UpdateCustomerRequest{CustomerId: 2, Customer: sent()}},
		{name: "a customer whose WordPress user does not exist", call: &customerv1.UpdateCustomerRequest{CustomerId: 3, Customer: &customerv1.Customer{Notes: proto.String("zq8xnote")}}},
		{name: "no such customer", call: &customerv1.UpdateCustomerRequest{CustomerId: 99, Customer: sent()}},
		{name: "bytes that are no request", raw: []byte("\x12\xffzq8xmail")},
		{name: "a text that is not UTF-8", raw: []byte("\x08\x01\x12\x09\x12\x07zq8x\xff\xfe\xfd")},
		{name: "unknown fields", raw: []byte("\x08\x01\x12\x00\x9a\x06\x08zq8xzq8x")},
		{name: "a name that the store rejects", method: http.MethodPut, path: "/v1/customers/1", body: `{"full_name":"Zq8x <b>Last</b>","city":"Zq8x\tcity"}`},
		{name: "a tag", method: http.MethodPut, path: "/v1/customers/1", body: sentJSON, header: with("If-Match", `"zq8xetag"`)},
		{name: "a weak tag", method: http.MethodPut, path: "/v1/customers/1", body: sentJSON, header: with("If-Match", `W/"zq8xetag"`)},
		{name: "a time", method: http.MethodPut, path: "/v1/customers/1", body: sentJSON, header: with("Grpc-Timeout", "zq8x")},
		{name: "a compressed body", method: http.MethodPut, path: "/v1/customers/1", body: sentJSON, header: with("Content-Encoding", "zq8x")},
		{name: "a web page of another origin", method: http.MethodPut, path: "/v1/customers/1", body: sentJSON, header: with("Origin", "https://zq8x.example")},
		{name: "a browser after DNS rebinding", method: http.MethodPut, path: "/v1/customers/1", body: sentJSON, header: http.Header{"Sec-Fetch-Site": {"same-origin"}, "Host": {"zq8x.example"}}},
		{name: "another method", method: "ZQ8X", path: "/v1/customers/1", body: sentJSON, header: canary},
		{name: "another path", method: http.MethodPut, path: "/zq8x/zq8xmail@zq8xhost.example", body: sentJSON, header: canary},
		{name: "a customer that is no number", method: http.MethodPut, path: "/v1/customers/zq8x", body: sentJSON, header: canary},
		{name: "parameters", method: http.MethodPut, path: "/v1/customers/1?validate_only=zq8x&zq8x%40mail=zq8x&update_mask=&etag=zq8x&etag=zq8x", body: sentJSON, header: canary},
		{name: "a mask", method: http.MethodPut, path: "/v1/customers/1?update_mask=zq8x%40mail,zq8x%20last", body: sentJSON, header: canary},
		{name: "a tag in the query", method: http.MethodPut, path: "/v1/customers/1?etag=zq8x%ff%00", body: sentJSON, header: canary},
		{name: "a read", method: http.MethodGet, path: "/v1/customers/1", body: sentJSON, header: with("If-None-Match", `"zq8xetag"`)},
		{name: "a read of a version", method: http.MethodGet, path: "/v1/customers/1", header: with("If-Match", `"zq8xetag"`)},
		{name: "parameters of a read", method: http.MethodGet, path: "/v1/customers/1?zq8x%40mail=zq8x&etag=zq8x", header: canary},
		{name: "a broken query", method: http.MethodPut, path: "/v1/customers/1?etag=zq8x%zz", body: sentJSON, header: canary},
	}...)
	for name, body := range map[string]string{
		"wrong types":              `{"city":["zq8xcity"],"email":{"zq8x":"zq8x"},"user_id":"zq8xuser","notes":1e999,"status":true}`,
		"a number that is a text":  `{"user_id":"99999999999999999999zq8x"}`,
		"keys that are no names":   `{"zq8x@host":1,"Zq8x Last":"zq8x"}`,
		"a field given twice":      `{"email":"zq8x","email":"zq8x"}`,
		"no JSON":                  `zq8xmail@zq8xhost.example`,
		"JSON that ends too early": `{"email":"zq8xmail`,
		"two objects":              `{"city":"zq8x"}{"city":"zq8x"}`,
		"a list":                   `["zq8x"]`,
		"what is not UTF-8":        "{\"city\":\"zq8x\xff\"}",
		"half a surrogate pair":    `{"city":"zq8x\ud800"}`,
		"output-only fields":       `{"uuid":{"zq8x":1},"created_at":"zq8x","etag":"zq8x","city":"Zq8xcity"}`,
	} {
		list = append(list, request{name: name, method: http.MethodPut, path: "/v1/customers/1", body: body, header: canary})
	}
	return list
}

// send sends a request and returns all that its caller gets, except for the customer of a successful response.
func (r request) send(ctx context.Context, t *testing.T, g *gateway) string {
	t.Helper()
	if r.method == "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer zq8xtoken", "cookie", "zq8xcookie", "x-request-id", "zq8x id", "x-zq8x", "zq8x")
		var header, trailer metadata.MD
		options := []grpc.CallOption{grpc.Header(&header), grpc.Trailer(&trailer)}
		if r.raw != nil {
			options = append(options, grpc.ForceCodec(rawRequest(r.raw)))
		}
		response, err := g.grpc.UpdateCustomer(ctx, r.call, options...)
		response.ProtoReflect()
		got := fmt.Sprint(header, trailer, response.GetChangedFields(), response.GetWarnings())
		return got + fmt.Sprint(err) + prototext.Format(status.Convert(err).Proto())
	}
	response, body := g.send(t, r.method, r.path, r.body, r.header)
	got := fmt.Sprint(response.Header)
	if response.StatusCode != http.StatusOK {
		return got + string(body)
	}
	var answer struct {
		Warnings, Changed json.RawMessage
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Errorf("%s: %v", r.name, err)
	}
	return got + string(answer.Warnings)
}

func TestPersonalDataIsNeitherReturnedNorLogged(t *testing.T) {
	for name, opts := range map[string]options{
		"an ordinary store":       {},
		"a store of split names":  {splitNames: true},
		"a gateway that replaces": {config: replacing()},
	} {
		t.Run(name, func(t *testing.T) { startWatched(t, opts).sendAndCheck(t, allRequests()) })
	}
}

// At debug level the log has the fields of a request and their sizes.
func TestShapeOfARequestIsLoggedAtDebugLevel(t *testing.T) {
	g := startWatched(t, options{})
	g.sendAndCheck(t, requestsToTheStore())
	const shape = `"request":"customer_id:1 customer:{city:[8 B]}"`
	if log := g.log.String(); !strings.Contains(log, shape) || !strings.Contains(log, `update_mask:[city]`) {
		t.Errorf("the log lacks %s:\n%s", shape, log)
	}
	quiet := start(t, options{})
	quiet.send(t, http.MethodPut, "/v1/customers/1", `{"city":"Lyon"}`, nil)
	if log := quiet.log.String(); strings.Contains(log, `"request":`) {
		t.Errorf("at info level the log has it, too:\n%s", log)
	}
}
