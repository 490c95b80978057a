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
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// What a hostile caller sends is refused or closed within ten seconds, costs at most 32 MiB, and leaves a well-behaved
// caller's calls at most twice as slow.
func TestFloodsAreEndedInTime(t *testing.T) {
	long := soaking(t)
	for _, row := range []struct {
		flooding

		short bool // it belongs to the short form
	}{
		{flooding{"nothing", "gRPC", 1000, false, false}, true},
		{flooding{"half a preface", "gRPC", 1000, false, false}, false},
		{flooding{"HTTP/2", "gRPC", 1000, false, false}, false},
		// What callers who were let in make the gateway hold is bounded for each connection, by 100 messages.
		{flooding{"calls that never come", "gRPC", 10, false, false}, false},
		{flooding{"calls that never end", "gRPC", 2, false, false}, false},
		{flooding{"calls before the first", "gRPC", 100, false, false}, false},
		{flooding{"calls before the first", "gRPC", 100, false, true}, false},
		{flooding{"rapid reset", "gRPC", 4, true, false}, true},
		{flooding{"rapid reset", "gRPC", 4, true, true}, false},
		{flooding{"CONTINUATION", "gRPC", 4, true, false}, false},
		{flooding{"empty CONTINUATION", "gRPC", 4, true, false}, false},
		{flooding{"PING", "gRPC", 4, true, false}, false},
		{flooding{"answers to PINGs", "gRPC", 4, true, false}, false},
		{flooding{"SETTINGS", "gRPC", 4, true, false}, true},
		{flooding{"WINDOW_UPDATE", "gRPC", 4, true, false}, false},
		{flooding{"PRIORITY", "gRPC", 4, true, false}, false},
		{flooding{"unknown frames", "gRPC", 4, true, false}, false},
		{flooding{"empty DATA", "gRPC", 4, true, false}, false},
		{flooding{"DATA of one byte each", "gRPC", 20, false, false}, false},
		{flooding{"nothing", "JSON", 1000, false, false}, false},
		{flooding{"half a TLS greeting", "JSON", 1000, false, false}, false},
		{flooding{"half a header", "JSON", 1000, false, false}, false},
		{flooding{"half a body", "JSON", 1000, false, false}, false},
		{flooding{"a dripping header", "JSON", 1000, false, false}, false},
		{flooding{"a dripping body", "JSON", 1000, false, false}, false},
		{flooding{"256 MiB in chunks", "JSON", 8, true, false}, false},
		{flooding{"256 MiB in chunks", "JSON", 8, true, true}, true},
		{flooding{"HTTP/2", "JSON", 100, false, false}, false},
		{flooding{"PING", "JSON", 4, false, false}, false},
	} {
		if !long && !row.short {
			continue
		}
		t.Run(row.String(), func(t *testing.T) {
			// A machine that is busy with something else makes calls slow now and then; a flood does it each time.
			const rounds = 3
			var ratio float64
			for range rounds {
				if ratio = row.once(t, long); ratio <= 2 || t.Failed() {
					return
				}
			}
			t.Errorf("calls take %.2f times as long (p99), in each of %d rounds; want at most twice", ratio, rounds)
		})
	}
}

// flooding is a flood of one door.
type flooding struct {
	kind, door  string
	connections int
	again       bool // connections that were ended begin anew
	guarded     bool // who floods has no token, and all others have
}

func (f flooding) String() string {
	name := f.kind + " at the " + f.door + " door"
	if f.guarded {
		name += " without a token"
	}
	return name
}

// once floods a gateway, and returns how many times as long a well-behaved caller's calls take (p99).
func (f flooding) once(t *testing.T, long bool) float64 {
	t.Helper()
	// The store has a worker for everybody: what is measured is the gateway.
	_, url := startStore(t, sandbox.Config{Workers: 16, Latency: 33 * time.Millisecond, Customers: 8})
	args, as := []string{"--log-level=error", "--max-in-flight=16"}, presenting{}
	if f.guarded {
		token, line, err := auth.NewToken("well-behaved", nil)
		if err != nil {
			t.Fatal(err)
		}
		args = append(args, "--caller-auth=token", "--token-file="+writeFile(t, "tokens", line))
		as.authorization = "Bearer " + token.Reveal()
	}
	gateway := startProcess(t, "no", url, args...)
	defer gateway.stop()
	calmTime, again := 2*time.Second, 2*time.Second
	if long {
		calmTime, again = 3*time.Second, 5*time.Second
	}
	calm := wellBehaved(t, gateway, as, calmTime, nil)
	memory := gateway.peakMemory(t)

	sent := flood{Kind: f.kind, Address: gateway.grpcAddr, Connections: f.connections, Lasting: 20 * time.Second}
	if f.door == "JSON" {
		sent.Address = strings.TrimPrefix(gateway.jsonURL, "http://")
	}
	if f.again {
		sent.Again = again
	}
	over := make(chan struct{})
	var told floodReport
	var err error
	go func() {
		defer close(over)
		told, err = sent.send(t.Context())
	}()
	during := wellBehaved(t, gateway, as, calmTime, over)
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
func wellBehaved(t *testing.T, gateway *process, as presenting, lasting time.Duration, over <-chan struct{}) []time.Duration {
	t.Helper()
	var mu sync.Mutex
	var took []time.Duration
	var all sync.WaitGroup
	end := time.Now().Add(lasting)
	overGRPC, overJSON, _, disconnect := gateway.connect(t, as)
	defer disconnect()
	newcomers := jsonClient{
		url: gateway.jsonURL, http: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
		authorization: func() string { return as.authorization },
	}
	for i, door := range []customerv1.CustomerServiceClient{overGRPC, overJSON, newcomers} {
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
