package e2e

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// openLoopTimeout is the deadline of a call of an open loop.
const openLoopTimeout = 2 * time.Second

// callAtRate makes calls at a rate, on all connections in turn, until ctx ends.
func (l load) callAtRate(ctx context.Context, report *loadReport) error {
	clients, err := l.connect()
	if err != nil {
		return err
	}
	var mu sync.Mutex
	var all sync.WaitGroup
	var lastOK time.Time
	start := time.Now()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for made := 0; ctx.Err() == nil; <-tick.C {
		for ; made < int(float64(l.Rate)*time.Since(start).Seconds()); made++ {
			client, customer, notes := clients[made%len(clients)], 1001+int64(made%l.Customers), fmt.Sprint("call ", made)
			all.Go(func() {
				call, cancel := context.WithTimeout(context.WithoutCancel(ctx), openLoopTimeout)
				defer cancel()
				_, err := client.UpdateCustomer(call, &customerv1.UpdateCustomerRequest{
					CustomerId: customer, Customer: &customerv1.Customer{Notes: &notes},
				})
				_, code := outcomeOf(err)
				mu.Lock()
				defer mu.Unlock()
				report.Codes[code]++
				if err == nil {
					lastOK = time.Now()
				}
			})
		}
	}
	all.Wait()
	report.Goodput = float64(report.Codes["OK"]) / max(lastOK.Sub(start), l.Lasting).Seconds()
	return nil
}

// The gateway serves as many updates when it gets four times as many as it can serve, of one customer or of many, as when it
// gets just as many.
func TestGoodputStaysFlatUnderOverload(t *testing.T) {
	lasting := 3 * time.Second
	if soaking(t) {
		lasting = 15 * time.Second
	}
	const workers, latency = 4, 5 * time.Millisecond
	for _, row := range []struct {
		name      string
		customers int
		capacity  int // updates a second that the store can take: two requests each
	}{
		{"one customer", 1, int(time.Second / (2 * latency))},
		{"many customers", 500, int(workers * time.Second / (2 * latency))},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, url := startStore(t, sandbox.Config{Workers: workers, Latency: latency, Customers: row.customers})
			gateway := startGateway(t, url)
			goodput := map[int]float64{}
			for _, times := range []int{1, 2, 4} {
				report := load{
					Gateway: gateway.grpcAddr, Clients: 16, PerConnection: 2,
					Rate: times * row.capacity, Customers: row.customers, Lasting: lasting,
				}.send(t)
				goodput[times] = report.Goodput
				t.Logf("%d times %d calls a second: goodput %.0f, %v", times, row.capacity, report.Goodput, report.Codes)
				late := 0
				for code, count := range report.Codes {
					if code != "OK" && code != "ResourceExhausted OVERLOADED" {
						late += count
					}
				}
				if most := times * row.capacity * int(lasting/time.Second) / 100; late > most {
					t.Errorf("%d times %d calls a second: %d calls were neither served nor rejected in time, want at most %d", times, row.capacity, late, most)
				}
			}
			if goodput[4] < 0.9*goodput[1] {
				t.Errorf("goodput under four times the load is %.2f of that under one time, want 0.9", goodput[4]/goodput[1])
			}
		})
	}
}
