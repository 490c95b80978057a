package main

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// What a hostile caller sends is refused or closed within ten seconds, costs at most 32 MiB, and leaves a well-behaved
// caller's calls at most twice as slow.
func TestFloodsAreEndedInTime(t *testing.T) {
	soaking(t)
	for _, row := range []struct {
		kind, door  string
		connections int
		again       bool
	}{
		{"nothing", "gRPC", 1000, false},
		{"half a preface", "gRPC", 1000, false},
		{"HTTP/2", "gRPC", 1000, false},
		// What callers who were let in make the gateway hold is bounded for each connection, by 100 messages.
		{"calls that never come", "gRPC", 10, false},
		{"calls that never end", "gRPC", 2, false},
		{"calls before the first", "gRPC", 100, false},
		{"rapid reset", "gRPC", 4, true},
		{"CONTINUATION", "gRPC", 4, true},
		{"empty CONTINUATION", "gRPC", 4, true},
		{"PING", "gRPC", 4, true},
		{"answers to PINGs", "gRPC", 4, true},
		{"SETTINGS", "gRPC", 4, true},
		{"WINDOW_UPDATE", "gRPC", 4, true},
		{"PRIORITY", "gRPC", 4, true},
		{"unknown frames", "gRPC", 4, true},
		{"empty DATA", "gRPC", 4, true},
		{"DATA of one byte each", "gRPC", 20, false},
		{"nothing", "JSON", 1000, false},
		{"half a TLS greeting", "JSON", 1000, false},
		{"half a header", "JSON", 1000, false},
		{"half a body", "JSON", 1000, false},
		{"a dripping header", "JSON", 1000, false},
		{"a dripping body", "JSON", 1000, false},
		{"256 MiB in chunks", "JSON", 8, true},
		{"HTTP/2", "JSON", 100, false},
		{"PING", "JSON", 4, false},
	} {
		t.Run(row.kind+" at the "+row.door+" door", func(t *testing.T) {
			// A machine that is busy with something else makes calls slow now and then; a flood does it each time.
			const rounds = 3
			var ratio float64
			for range rounds {
				if ratio = floodOnce(t, row.kind, row.door, row.connections, row.again); ratio <= 2 || t.Failed() {
					return
				}
			}
			t.Errorf("calls take %.2f times as long (p99), in each of %d rounds; want at most twice", ratio, rounds)
		})
	}
}

// floodOnce floods a gateway, and returns how many times as long a well-behaved caller's calls take (p99).
func floodOnce(t *testing.T, kind, door string, connections int, again bool) float64 {
	t.Helper()
	// The store has a worker for everybody: what is measured is the gateway.
	_, url := startStore(t, sandbox.Config{Workers: 16, Latency: 33 * time.Millisecond, Customers: 8})
	gateway := startProcess(t, "no", url, "--log-level=error", "--max-in-flight=16")
	defer gateway.stop()
	calm := wellBehaved(t, gateway, 3*time.Second, nil)
	memory := gateway.peakMemory(t)

	f := flood{Kind: kind, Address: gateway.grpcAddr, Connections: connections, Lasting: 20 * time.Second}
	if door == "JSON" {
		f.Address = strings.TrimPrefix(gateway.jsonURL, "http://")
	}
	if again {
		f.Again = 5 * time.Second
	}
	over := make(chan struct{})
	var told floodReport
	var err error
	go func() {
		defer close(over)
		told, err = f.send(t.Context())
	}()
	during := wellBehaved(t, gateway, 3*time.Second, over)
	<-over
	if err != nil {
		t.Fatal(err)
	}
	grown := gateway.peakMemory(t) - memory
	ratio := percentile(during, 99).Seconds() / percentile(calm, 99).Seconds()
	t.Logf("%d of %d connections ended, each within %s; %d KiB sent at most; %d MiB more; calls take %.2f times as long (p99, %d calls)",
		told.Ended, told.Opened, told.Longest.Round(time.Millisecond), told.Sent>>10, grown, ratio, len(during))
	if told.Ended < told.Opened || told.Longest > inTime {
		t.Errorf("%d of %d connections ended, the longest after %s; want all in 10 s", told.Ended, told.Opened, told.Longest)
	}
	if grown > 32 {
		t.Errorf("%d MiB more, want at most 32", grown)
	}
	return ratio
}

// inTime is ten seconds, and what a flood that gets the processor last needs to see that they are over.
const inTime = 11 * time.Second

// wellBehaved measures the calls of two callers, one at each door, for a time, and for as long as a flood lasts. Beside
// them newcomers connect, who have to get in.
func wellBehaved(t *testing.T, gateway *process, lasting time.Duration, over <-chan struct{}) []time.Duration {
	t.Helper()
	var mu sync.Mutex
	var took []time.Duration
	var all sync.WaitGroup
	end := time.Now().Add(lasting)
	newcomers := jsonClient{url: gateway.jsonURL, http: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
	for i, door := range []customerv1.CustomerServiceClient{gateway.customers, gateway.overJSON, newcomers} {
		all.Go(func() {
			for n := 0; ; n++ {
				if time.Now().After(end) {
					select {
					case <-over:
						return
					default:
						if over == nil {
							return
						}
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
