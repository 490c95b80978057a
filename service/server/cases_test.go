package server_test

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox/sandboxtest"
)

// Every case runs over gRPC and over HTTP, each time with a fresh store, and must have the same outcome.
func TestCases(t *testing.T) {
	for name, file := range loadCases(t) {
		for _, c := range file.Cases {
			for _, transport := range []string{"gRPC", "HTTP"} {
				if len(c.Transports) > 0 && !slices.Contains(c.Transports, transport) {
					continue
				}
				name := fmt.Sprintf("%s/%s/%s", strings.TrimSuffix(name, ".json"), c.Name, transport)
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					c.run(t, transport)
				})
				if atomic, ok := c.atomic(); ok && (transport == "gRPC" || !raceEnabled) { // the transports differ in nothing that runs at the same time
					t.Run(name+"/atomic", func(t *testing.T) {
						t.Parallel()
						atomic.run(t, transport)
					})
				}
			}
		}
	}
}

func (c apiCase) run(t *testing.T, transport string) {
	g := c.start(t)
	etag := ""
	if c.Request.Etag == "current" || strings.Contains(c.Request.Etag+c.Request.Header["If-Match"]+c.Request.Header["If-None-Match"], "{etag}") {
		now, err := g.grpc.UpdateCustomer(t.Context(), &customerv1.UpdateCustomerRequest{CustomerId: c.Request.CustomerID, Customer: &customerv1.Customer{}})
		if err != nil {
			t.Fatal(err)
		}
		etag = now.GetCustomer().GetEtag()
		g.toStore.take()
	}
	if c.Request.Etag == "current" {
		c.Request.Etag = etag
	}
	c.Request.Etag = strings.ReplaceAll(c.Request.Etag, "{etag}", etag)
	before := g.store.Rows()

	var got outcome
	if transport == "gRPC" {
		got = c.Request.overGRPC(t, g)
	} else {
		got = c.Request.overJSON(t, g, etag)
	}

	expected := outcome{
		Code: c.Want.Code, Reason: c.Want.Reason, WriteState: c.Want.WriteState, Upstream: c.Want.Upstream, Fields: c.Want.Fields,
		Details: c.Want.Details, RetryAfter: c.Want.RetryAfter, ChangedFields: c.Want.ChangedFields, Warnings: c.Want.Warnings,
	}
	if transport == "HTTP" {
		expected.HTTP = or(c.Want.HTTP, http.StatusOK)
		for name, value := range c.Want.ResponseHeader {
			if got.header.Get(name) != value {
				t.Errorf("header %s is %q, want %q", name, got.header.Get(name), value)
			}
		}
	}
	if diff := cmp.Diff(expected, got, cmpopts.EquateEmpty(), cmpopts.IgnoreUnexported(outcome{})); diff != "" {
		t.Errorf("outcome (-want +got):\n%s\nmessage: %s", diff, got.message)
	}
	for _, part := range c.Want.MessageHas {
		if !strings.Contains(got.message, part) {
			t.Errorf("message %q lacks %q", got.message, part)
		}
	}
	for _, part := range c.Want.MessageLacks {
		if strings.Contains(got.message, part) {
			t.Errorf("message %q has %q", got.message, part)
		}
	}
	for field, value := range c.Want.Customer {
		if diff := cmp.Diff(value, got.customer[field]); diff != "" {
			t.Errorf("customer's %s (-want +got):\n%s", field, diff)
		}
	}
	var sent []string
	for _, request := range g.toStore.take() {
		// The number of reads that verify a write depends on time.
		if verifying := slices.Contains(sent, http.MethodPut) && sent[len(sent)-1] == http.MethodGet; !verifying {
			sent = append(sent, request.method)
		}
		if request.method == http.MethodPut && c.Want.Put != nil {
			var put map[string]any
			if err := json.Unmarshal(request.body, &put); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.Want.Put, put); diff != "" {
				t.Errorf("body of the PUT (-want +got):\n%s", diff)
			}
		}
	}
	if diff := cmp.Diff(c.Want.Sent, strings.Join(sent, " ")); diff != "" && !c.Store.Down && !c.Store.Untrusted {
		t.Errorf("requests to the store (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(c.Want.Rows, rowChanges(t, before, g.store.Rows()), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("changed columns (-want +got):\n%s", diff)
	}
}

func (c apiCase) start(t *testing.T) *gateway {
	opts := options{
		splitNames:     c.Store.SplitNames,
		callers:        permitting(t, or(c.Gateway.May, "status")),
		config:         service.Config{WriteMode: service.WriteMode(c.Gateway.WriteMode), SettleTime: or(time.Duration(c.Gateway.SettleTime), 300*time.Millisecond)},
		getTimeout:     time.Duration(c.Gateway.GetTimeout),
		putTimeout:     time.Duration(c.Gateway.PutTimeout),
		defaultTimeout: time.Duration(c.Gateway.DefaultTimeout),
		companion:      c.Gateway.WriteMode == string(service.Atomic),
		wrap:           answering(c.Store.Answers),
	}
	switch {
	case c.Store.Down:
		opts.storeURL = sandboxtest.Down(t)
	case c.Store.Untrusted:
		unknown := httptest.NewUnstartedServer(http.NotFoundHandler())
		unknown.Config.ErrorLog = log.New(io.Discard, "", 0) // it would log each handshake
		unknown.StartTLS()
		t.Cleanup(unknown.Close)
		opts.storeURL = unknown.URL
	}
	return start(t, opts)
}

// permitting allows all callers to change the fields of a list.
func permitting(t testing.TB, list string) auth.Authenticator {
	t.Helper()
	may, err := auth.ParsePermissions(list)
	if err != nil {
		t.Fatal(err)
	}
	return auth.Anyone{May: may}
}

// overGRPC sends the request over gRPC, where a cleared field is an empty text, or 0, instead of null.
func (r requestSetting) overGRPC(t *testing.T, g *gateway) outcome {
	request := &customerv1.UpdateCustomerRequest{CustomerId: r.CustomerID, Etag: r.Etag, ValidateOnly: r.ValidateOnly}
	if r.UpdateMask != nil {
		request.UpdateMask = &fieldmaskpb.FieldMask{Paths: strings.Split(*r.UpdateMask, ",")}
	}
	if r.Customer != nil {
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(r.Customer, &fields); err != nil {
			t.Fatal(err)
		}
		for name, value := range fields {
			if string(value) == "null" {
				fields[name] = json.RawMessage(map[bool]string{true: "0", false: `""`}[name == "user_id"])
			}
		}
		content, err := json.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		request.Customer = &customerv1.Customer{}
		if err := protojson.Unmarshal(content, request.GetCustomer()); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context()) // no deadline: the gateway's default is what a case sets
	defer cancel()
	var callOptions []grpc.CallOption
	if r.GRPCHex != "" {
		content, err := hex.DecodeString(strings.ReplaceAll(r.GRPCHex, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		callOptions = append(callOptions, grpc.ForceCodec(rawRequest(content)))
	}
	var header, trailer metadata.MD
	callOptions = append(callOptions, grpc.Header(&header), grpc.Trailer(&trailer))
	var response *customerv1.UpdateCustomerResponse
	var err error
	if r.Read {
		var read *customerv1.GetCustomerResponse
		read, err = g.grpc.GetCustomer(ctx, &customerv1.GetCustomerRequest{CustomerId: r.CustomerID}, callOptions...)
		response = &customerv1.UpdateCustomerResponse{Customer: read.GetCustomer()}
	} else {
		response, err = g.grpc.UpdateCustomer(ctx, request, callOptions...)
	}
	o := grpcOutcome(t, response, err)
	// A header in front of an error would commit the call, so that no client retries it.
	if err != nil && header.Len() > 0 {
		t.Errorf("the error has the header %v", header)
	}
	if pushback := strings.Join(trailer.Get("grpc-retry-pushback-ms"), ","); pushback != pushbackOf(o) {
		t.Errorf("grpc-retry-pushback-ms is %q, want %q", pushback, pushbackOf(o))
	}
	return o
}

// pushbackOf returns what tells a client with a retry policy when to repeat a call without a deadline.
func pushbackOf(o outcome) string {
	seconds, _ := strconv.Atoi(o.RetryAfter)
	switch {
	case o.WriteState == "unknown", seconds >= 60, o.Reason != "" && seconds == 0 && o.Code == "RESOURCE_EXHAUSTED":
		return "-1"
	case seconds > 0:
		return strconv.Itoa(seconds * 1000)
	}
	return ""
}

// rawRequest is the codec of a client that sends bytes of its own.
type rawRequest []byte

func (r rawRequest) Marshal(any) ([]byte, error) { return r, nil }
func (rawRequest) Unmarshal(content []byte, v any) error {
	return proto.Unmarshal(content, v.(proto.Message))
}
func (rawRequest) Name() string { return "proto" }

// overJSON sends the request to the HTTP/JSON gateway.
func (r requestSetting) overJSON(t *testing.T, g *gateway, etag string) outcome {
	method, path, ok := strings.Cut(r.HTTP, " ")
	if !ok {
		method, path = http.MethodPut, fmt.Sprintf("/v1/customers/%d", r.CustomerID)
		if r.Read {
			method = http.MethodGet
		}
	}
	query := url.Values{}
	if r.UpdateMask != nil {
		query.Set("update_mask", *r.UpdateMask)
	}
	if r.Etag != "" {
		query.Set("etag", r.Etag)
	}
	if r.ValidateOnly {
		query.Set("validate_only", "true")
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	body := string(r.Customer)
	if r.Body != nil {
		body = *r.Body
	}
	if r.BodyBase64 != nil {
		body = string(r.BodyBase64)
	}
	header := http.Header{}
	for name, value := range r.Header {
		header.Set(name, strings.ReplaceAll(value, "{etag}", etag))
	}
	response, content := g.send(t, method, path, body, header)
	return jsonOutcome(t, response, content)
}

// rowChanges returns the columns that differ, with their new values, by customer. updated_at is left out.
func rowChanges(t *testing.T, before, after []sandbox.Row) map[string]map[string]any {
	t.Helper()
	changes := map[string]map[string]any{}
	for i := range before {
		was, is := columns(t, before[i]), columns(t, after[i])
		for column := range is {
			if column == "updated_at" || cmp.Equal(was[column], is[column]) {
				continue
			}
			id := strconv.FormatInt(before[i].ID, 10)
			if changes[id] == nil {
				changes[id] = map[string]any{}
			}
			changes[id][column] = is[column]
		}
	}
	return changes
}

func columns(t *testing.T, row sandbox.Row) map[string]any {
	t.Helper()
	content, err := json.Marshal(row)
	if err != nil {
		t.Fatal(err)
	}
	var columns map[string]any
	if err := json.Unmarshal(content, &columns); err != nil {
		t.Fatal(err)
	}
	return columns
}
