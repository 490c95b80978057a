package e2e

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

// The gateway rejects or closes the connections of a flood within ten seconds, uses at most 32 MiB more memory, and answers
// the calls of well-behaved callers at most twice as slowly.
func TestFloodsAreEndedInTime(t *testing.T) {
	long := soaking(t)
	needs(t, "chrt")
	for _, row := range []struct {
		floodCase

		short bool // it is also part of SOAK=short
	}{
		{floodCase{"nothing", "gRPC", 1000, false, false}, true},
		{floodCase{"half a preface", "gRPC", 1000, false, false}, false},
		{floodCase{"HTTP/2", "gRPC", 1000, false, false}, false},
		// The memory that an authenticated connection can use is bounded by 100 messages.
		{floodCase{"calls that never come", "gRPC", 10, false, false}, false},
		{floodCase{"calls that never end", "gRPC", 2, false, false}, false},
		{floodCase{"calls before the first", "gRPC", 100, false, false}, false},
		{floodCase{"calls before the first", "gRPC", 100, false, true}, false},
		{floodCase{"rapid reset", "gRPC", 4, true, false}, true},
		{floodCase{"rapid reset", "gRPC", 4, true, true}, false},
		{floodCase{"CONTINUATION", "gRPC", 4, true, false}, false},
		{floodCase{"empty CONTINUATION", "gRPC", 4, true, false}, false},
		{floodCase{"PING", "gRPC", 4, true, false}, false},
		{floodCase{"answers to PINGs", "gRPC", 4, true, false}, false},
		{floodCase{"SETTINGS", "gRPC", 4, true, false}, true},
		{floodCase{"WINDOW_UPDATE", "gRPC", 4, true, false}, false},
		{floodCase{"PRIORITY", "gRPC", 4, true, false}, false},
		{floodCase{"unknown frames", "gRPC", 4, true, false}, false},
		{floodCase{"empty DATA", "gRPC", 4, true, false}, false},
		{floodCase{"DATA of one byte each", "gRPC", 20, false, false}, false},
		{floodCase{"nothing", "JSON", 1000, false, false}, false},
		{floodCase{"half a TLS ClientHello", "JSON", 1000, false, false}, false},
		{floodCase{"half a header", "JSON", 1000, false, false}, false},
		{floodCase{"half a body", "JSON", 1000, false, false}, false},
		{floodCase{"a dripping header", "JSON", 1000, false, false}, false},
		{floodCase{"a dripping body", "JSON", 1000, false, false}, false},
		{floodCase{"256 MiB in chunks", "JSON", 8, true, false}, false},
		{floodCase{"256 MiB in chunks", "JSON", 8, true, true}, true},
		{floodCase{"HTTP/2", "JSON", 100, false, false}, false},
		{floodCase{"PING", "JSON", 4, false, false}, false},
	} {
		if !long && !row.short {
			continue
		}
		t.Run(row.String(), func(t *testing.T) {
			// Other load on the machine makes calls slow sometimes; a flood does so in each round.
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

// floodCase is a flood of one transport.
type floodCase struct {
	kind, transport string
	connections     int
	again           bool // open a new connection when one has ended
	tokens          bool // callers need a token, and the flood has none
}

func (f floodCase) String() string {
	name := f.kind + " over " + f.transport
	if f.tokens {
		name += " without a token"
	}
	return name
}

// once floods a gateway, and returns by which factor the calls of well-behaved callers get slower (p99).
func (f floodCase) once(t *testing.T, long bool) float64 {
	t.Helper()
	// The store has a worker for each call: the test measures the gateway.
	_, url := startStore(t, sandbox.Config{Workers: 16, Latency: 33 * time.Millisecond, Customers: 8})
	args, caller := []string{"--log-level=error", "--max-in-flight=16"}, identity{}
	if f.tokens {
		token, line, err := auth.NewToken("well-behaved", nil)
		if err != nil {
			t.Fatal(err)
		}
		args = append(args, "--caller-auth=token", "--token-file="+writeFile(t, "tokens", line))
		caller.authorization = "Bearer " + token.Reveal()
	}
	gateway := startGateway(t, url, args...)
	defer gateway.stop()
	calmTime, again := 2*time.Second, 2*time.Second
	if long {
		calmTime, again = 3*time.Second, 5*time.Second
	}
	calm := wellBehaved(t, gateway, caller, calmTime, nil)
	memory := gateway.peakMemory(t)

	sent := flood{Kind: f.kind, Address: gateway.grpcAddr, Connections: f.connections, Lasting: 20 * time.Second}
	if f.transport == "JSON" {
		sent.Address = strings.TrimPrefix(gateway.jsonURL, "http://")
	}
	if f.again {
		sent.Again = again
	}
	over := make(chan struct{})
	var report floodReport
	var err error
	go func() {
		defer close(over)
		report, err = sent.send(t.Context())
	}()
	during := wellBehaved(t, gateway, caller, calmTime, over)
	<-over
	if err != nil {
		t.Fatal(err)
	}
	grown := gateway.peakMemory(t) - memory
	ratio := percentile(during, 99).Seconds() / percentile(calm, 99).Seconds()
	t.Logf("%d of %d connections ended, each within %s; %d KiB sent at most; %d MiB more; calls take %.2f times as long (p99, %d calls)",
		report.Ended, report.Opened, report.Longest.Round(time.Millisecond), report.Sent>>10, grown, ratio, len(during))
	if report.Ended < report.Opened || report.Longest > inTime {
		t.Errorf("%d of %d connections ended, the longest after %s; want all in 10 s", report.Ended, report.Opened, report.Longest)
	}
	if grown > 32 {
		t.Errorf("%d MiB more, want at most 32", grown)
	}
	return ratio
}

// inTime is ten seconds, and one more because the process of the flood has a low priority and notices the end late.
const inTime = 11 * time.Second

// wellBehaved measures the calls of two callers, one over each transport, for a time and for as long as a flood lasts.
// A third caller opens a new connection for each call.
func wellBehaved(t *testing.T, gateway *process, caller identity, lasting time.Duration, over <-chan struct{}) []time.Duration {
	t.Helper()
	var mu sync.Mutex
	var took []time.Duration
	var all sync.WaitGroup
	end := time.Now().Add(lasting)
	overGRPC, overJSON, _, disconnect := gateway.connect(t, caller)
	defer disconnect()
	newcomers := jsonClient{
		url: gateway.jsonURL, http: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
		authorization: func() string { return caller.authorization },
	}
	for i, client := range []customerv1.CustomerServiceClient{overGRPC, overJSON, newcomers} {
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
				_, err := client.UpdateCustomer(ctx, &customerv1.UpdateCustomerRequest{
					CustomerId: 1001 + int64(i), ValidateOnly: true, Customer: &customerv1.Customer{City: proto.String("Lyon")},
				})
				cancel()
				if err != nil {
					t.Errorf("the call of a well-behaved caller failed: %v", err)
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
