package e2e

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// slowness is the latency of a request to a store that is under load.
const slowness = 750 * time.Millisecond

// startUnderLoad starts a gateway in front of a slow store, and makes an update, so that the gateway knows how slow it is.
func startUnderLoad(t *testing.T, flags ...string) *process {
	t.Helper()
	_, store := startStore(t, sandbox.Config{Latency: slowness, Customers: 100})
	gateway := startGateway(t, store, flags...)
	update(t, gateway.customers, 1001, 0)
	return gateway
}

// begin begins an update of each customer.
func begin(t *testing.T, over customerv1.CustomerServiceClient, customers []int64) {
	t.Helper()
	for _, customer := range customers {
		inBackground(t, func() { update(t, over, customer, 0) })()
	}
}

// keepUpdating updates the customers at the same time, again and again until the test ends.
func keepUpdating(t *testing.T, over customerv1.CustomerServiceClient, customers []int64) {
	t.Helper()
	for _, customer := range customers {
		inBackground(t, func() {
			for t.Context().Err() == nil {
				update(t, over, customer, 0)
			}
		})()
	}
}

// admits waits until so many calls are at work or wait.
func (p *process) admits(t *testing.T, calls int) {
	t.Helper()
	metric := expectedMetric{name: "calls_admitted", becomes: strconv.Itoa(calls)}
	if !waitFor(t, 10*time.Second, func() bool { return metric.isIn(p.metrics(t), nil) }) {
		t.Errorf("it does not admit %d calls: %s", calls, seriesOf(p.metrics(t), metric.name))
	}
}

func queueFull(t *testing.T) (*process, func()) {
	gateway := startUnderLoad(t, "--max-in-flight=1", "--max-queue=1")
	return gateway, func() { begin(t, gateway.customers, ids(4)) }
}

// queueTooLong makes a call whose deadline is longer than an update takes, and shorter than the updates that wait before it.
func queueTooLong(t *testing.T) (*process, func()) {
	gateway := startUnderLoad(t, "--max-in-flight=1")
	return gateway, func() {
		begin(t, gateway.customers, ids(4))
		gateway.admits(t, 4)
		update(t, gateway.customers, 1010, 3*slowness)
	}
}

func deadlineTooShort(t *testing.T) (*process, func()) {
	gateway := startUnderLoad(t)
	return gateway, func() { update(t, gateway.customers, 1001, slowness) }
}

// customerFlooded makes more updates of one customer than may wait for it: a quarter of the queue.
func customerFlooded(t *testing.T) (*process, func()) {
	gateway := startUnderLoad(t, "--max-queue=32")
	return gateway, func() { begin(t, gateway.customers, slices.Repeat([]int64{1001}, 1+32/4+1)) }
}

// greedyCaller keeps the queue full from one connection, while another caller makes one call after another.
func greedyCaller(t *testing.T) (*process, func()) {
	gateway := startUnderLoad(t, "--max-in-flight=1", "--max-queue=4")
	return gateway, func() {
		keepUpdating(t, gateway.customers, ids(5))
		keepUpdating(t, gateway.overJSON, []int64{1010})
	}
}

// ownRate makes an update right after one that has used up what --store-rate allows for some seconds.
func ownRate(t *testing.T) (*process, func()) {
	_, store := startStore(t, sandbox.Config{})
	gateway := startGateway(t, store, "--store-rate=0.5")
	return gateway, func() {
		update(t, gateway.customers, 1, 0)
		update(t, gateway.customers, 1, 500*time.Millisecond)
	}
}

// accountsNotVerified makes calls with more accounts than may wait for the store's decision: an eighth of the queue.
func accountsNotVerified(t *testing.T) (*process, func()) {
	_, store := startStore(t, sandbox.Config{Latency: slowness})
	gateway := startGateway(t, store, "--caller-auth=store", "--max-queue=32")
	return gateway, func() {
		for i := range 32/8 + 1 {
			caller := gateway.overJSON
			caller.authorization = func() string { return basic(fmt.Sprintf("caller%d", i), "wrong") }
			begin(t, caller, []int64{1})
		}
	}
}
