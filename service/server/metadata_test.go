package server_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
)

// Over-long metadata ends its own call, with an error, and not the connection with the calls of others on it.
func TestLongMetadataEndsItsOwnCallOnly(t *testing.T) {
	many := func(n, size int) (fields []hpack.HeaderField) {
		for i := range n {
			fields = append(fields, hpack.HeaderField{Name: fmt.Sprintf("x-many-%d", i), Value: strings.Repeat("~", size)})
		}
		return fields
	}
	one := func(size int) []hpack.HeaderField {
		return []hpack.HeaderField{{Name: "x-long", Value: strings.Repeat("~", size)}}
	}
	for _, row := range []struct {
		name     string
		metadata []hpack.HeaderField
		status   string // grpc-status
	}{
		{"15 KiB are read", one(15 << 10), "0"},
		{"17 KB in one header", one(17_000), "3"},
		{"32 KiB in one header", one(32 << 10), "3"},
		{"64 KiB in one header", one(64 << 10), "3"},
		{"a token of 20 KB", []hpack.HeaderField{{Name: "authorization", Value: "Bearer " + strings.Repeat("x", 20_000), Sensitive: true}}, "3"},
		{"a binary header of 30 KB", []hpack.HeaderField{{Name: "x-long-bin", Value: strings.Repeat("AAAA", 7_500)}}, "3"},
		{"64 KB in 16 headers", many(16, 4000), "3"},
		{"20 KB in 400 headers", many(400, 10), "3"},
		{"60 KB in 1,000 headers", many(1000, 20), "3"},
		{"17 KB in two headers of one name", append(one(9000), one(8500)...), "3"},
	} {
		t.Run(row.name, func(t *testing.T) {
			written := make(chan struct{})
			g := startScripted(t, func(ctx context.Context, request *customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error) {
				if request.GetCustomerId() == 1 {
					select {
					case <-written:
					case <-ctx.Done():
					}
				}
				return &customerv1.UpdateCustomerResponse{}, nil
			})
			calls := newRawCalls(t, rawConn(t, g.conn.Target(), nil))
			write := calls.begin(t)
			calls.send(t, write, &customerv1.UpdateCustomerRequest{CustomerId: 1})
			long := calls.begin(t, row.metadata...)
			calls.send(t, long, &customerv1.UpdateCustomerRequest{CustomerId: 2})
			response, err := calls.outcome(long)
			if got := valueOf(response.fields, "grpc-status"); got != row.status || err != nil {
				t.Errorf("%v, %v", response, err)
			}
			if message := valueOf(response.fields, "grpc-message"); row.status == "3" && !strings.Contains(message, "metadata: must be at most 16384 bytes") {
				t.Errorf("the message is %q", message)
			}
			close(written)
			response, err = calls.outcome(write)
			if got := valueOf(response.fields, "grpc-status"); got != "0" || err != nil {
				t.Errorf("the write beside it: %v, %v", response, err)
			}
			after := calls.begin(t, one(100)...) // the table of compressed headers is intact
			calls.send(t, after, &customerv1.UpdateCustomerRequest{CustomerId: 3})
			response, err = calls.outcome(after)
			if got := valueOf(response.fields, "grpc-status"); got != "0" || err != nil {
				t.Errorf("the next call: %v, %v", response, err)
			}
		})
	}
}

// The first call on a connection is rejected in the same way: its metadata alone is not too much memory.
func TestLongMetadataOfAFirstCallIsAnInvalidField(t *testing.T) {
	g := start(t, options{})
	calls := newRawCalls(t, rawConn(t, g.conn.Target(), nil))
	first := calls.begin(t, hpack.HeaderField{Name: "x-long", Value: strings.Repeat("~", 64<<10)})
	calls.send(t, first, moveTo(1, "Lyon"))
	response, err := calls.outcome(first)
	if got := valueOf(response.fields, "grpc-status"); got != "3" || err != nil {
		t.Errorf("%v, %v", response, err)
	}
}

// grpc-go's client gets the gateway's error for metadata that it would otherwise refuse itself, as INTERNAL.
func TestLongMetadataOfGRPCsOwnClientIsAnInvalidField(t *testing.T) {
	g := start(t, options{})
	ctx := metadata.AppendToOutgoingContext(t.Context(), "x-long", strings.Repeat("x", 17_000))
	_, err := g.grpc.UpdateCustomer(ctx, moveTo(1, "Lyon"))
	if got := errorOutcome(t, status.Convert(err)); got.Code != codes.InvalidArgument.String() && got.Reason != "INVALID_FIELD" || got.WriteState != "not_sent" {
		t.Errorf("got %v", err)
	}
	if sent := g.toStore.take(); len(sent) > 0 {
		t.Errorf("%d requests reached the store", len(sent))
	}
}
