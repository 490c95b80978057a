package main

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
)

// What a hostile caller sends is refused or closed within ten seconds, costs at most 32 MiB, and leaves a well-behaved
// caller's calls at most twice as slow.
func TestFloodsAreEndedInTime(t *testing.T) {
	soaking(t)
	for _, row := range []struct {
		kind, door  string
		connections int
	}{
		{"nothing", "gRPC", 1000},
		{"half a preface", "gRPC", 1000},
		{"HTTP/2", "gRPC", 1000},
		{"calls that never come", "gRPC", 20},
		{"rapid reset", "gRPC", 4},
		{"CONTINUATION", "gRPC", 4},
		{"empty CONTINUATION", "gRPC", 4},
		{"PING", "gRPC", 4},
		{"answers to PINGs", "gRPC", 4},
		{"SETTINGS", "gRPC", 4},
		{"WINDOW_UPDATE", "gRPC", 4},
		{"PRIORITY", "gRPC", 4},
		{"unknown frames", "gRPC", 4},
		{"empty DATA", "gRPC", 4},
		{"DATA of one byte each", "gRPC", 20},
		{"nothing", "JSON", 1000},
		{"half a TLS greeting", "JSON", 1000},
		{"half a header", "JSON", 1000},
		{"half a body", "JSON", 1000},
		{"a dripping header", "JSON", 1000},
		{"a dripping body", "JSON", 1000},
		{"256 MiB in chunks", "JSON", 8},
		{"HTTP/2", "JSON", 100},
		{"PING", "JSON", 4},
	} {
		t.Run(row.kind+" at the "+row.door+" door", func(t *testing.T) {
			_, url := startStore(t, phpStore(8, nil))
			gateway := startProcess(t, "no", url, "--log-level=error")
			calm := wellBehaved(t, gateway, 3*time.Second, nil)
			memory := gateway.peakMemory(t)

			address := gateway.grpcAddr
			if row.door == "JSON" {
				address = strings.TrimPrefix(gateway.jsonURL, "http://")
			}
			over := make(chan struct{})
			var told floodReport
			go func() {
				defer close(over)
				told = flood{row.kind, address, row.connections, 15 * time.Second}.send(t)
			}()
			during := wellBehaved(t, gateway, 3*time.Second, over)
			<-over
			grown := gateway.peakMemory(t) - memory
			ratio := percentile(during, 99).Seconds() / percentile(calm, 99).Seconds()
			t.Logf("%d of %d connections ended, the last after %s; %d KiB sent; %d MiB more; calls take %.2f times as long (p99, %d calls)",
				told.Ended, row.connections, told.Last.Round(time.Millisecond), told.Sent>>10, grown, ratio, len(during))
			if told.Ended < row.connections || told.Last > 10*time.Second+500*time.Millisecond {
				t.Errorf("%d of %d connections ended, the last after %s; want all in 10 s", told.Ended, row.connections, told.Last)
			}
			if grown > 32 {
				t.Errorf("%d MiB more, want at most 32", grown)
			}
			if ratio > 2 {
				t.Errorf("calls take %.2f times as long (p99), want at most twice", ratio)
			}
		})
	}
}

// wellBehaved measures the calls of two callers, one at each door, for a time, and for as long as a flood lasts.
func wellBehaved(t *testing.T, gateway *process, lasting time.Duration, over <-chan struct{}) []time.Duration {
	t.Helper()
	var mu sync.Mutex
	var took []time.Duration
	var all sync.WaitGroup
	end := time.Now().Add(lasting)
	for i, door := range []customerv1.CustomerServiceClient{gateway.customers, gateway.overJSON} {
		all.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-over:
					return
				default:
					if over == nil && time.Now().After(end) {
						return
					}
				}
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
				begin := time.Now()
				_, err := door.UpdateCustomer(ctx, &customerv1.UpdateCustomerRequest{
					CustomerId: 1001 + int64(i), ValidateOnly: true, Customer: &customerv1.Customer{City: proto.String("Lyon")},
				})
				cancel()
				if err != nil {
					t.Errorf("a well-behaved caller is told: %v", err)
					return
				}
				mu.Lock()
				took = append(took, time.Since(begin))
				mu.Unlock()
			}
		})
	}
	all.Wait()
	return took
}
