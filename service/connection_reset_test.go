package service_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/history"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// The connection to the store is reset after each byte of a write's request, and after each tenth of its response. The
// write is never sent twice, and the caller's result is true.
func TestConnectionResetNeverRepeatsAWriteAndTheResultIsTrue(t *testing.T) {
	const customers = 999 // so that all IDs, and therefore all requests, have the same length
	store := sandbox.New(sandbox.Config{Customers: customers, KeepLog: true})
	listening := httptest.NewServer(store)
	t.Cleanup(listening.Close)
	proxy := newCuttingProxy(t, strings.TrimPrefix(listening.URL, "http://"))

	// The first call is not cut. It shows how long a request is.
	const lastAddedCustomer = firstAddedCustomer + customers - 1
	uncut := newTwoServices(t, proxy)
	if c := updateCity(t, uncut.longSettle, lastAddedCustomer); c.Outcome != history.Written {
		t.Fatalf("the call that is not cut got %s", c.Code)
	}
	uncut.close(t)
	length := proxy.length()
	var cuts []cut
	for range 20 {
		cuts = append(cuts, cut{where: afterTheRead})
	}
	for k := range length + 1 {
		cuts = append(cuts, cut{where: inTheRequest, bytes: k})
	}
	for portion := range 11 {
		cuts = append(cuts, cut{where: inTheResponse, portion: portion})
	}
	if len(cuts) >= customers {
		t.Fatalf("%d cuts need as many customers, and there are %d", len(cuts), customers)
	}

	results := make([]result, len(cuts))
	waiting := make(chan int, len(cuts))
	for i, c := range cuts {
		proxy.plan(firstAddedCustomer+int64(i), c)
		waiting <- i
	}
	close(waiting)
	var gateways sync.WaitGroup
	for range 48 { // most of the time they wait for the settle time
		gateway := newTwoServices(t, proxy)
		gateways.Go(func() {
			defer gateway.close(t)
			for i := range waiting {
				svc := gateway.shortSettle
				if cuts[i].sendsWholeRequest(length) {
					svc = gateway.longSettle
				}
				results[i] = updateCity(t, svc, firstAddedCustomer+int64(i))
			}
		})
	}
	gateways.Wait()
	proxy.close()
	listening.Close() // waits for the requests that the store has begun

	written := map[int64]int{}
	for _, w := range store.Writes() {
		written[w.Customer]++
	}
	tally := map[string]int{}
	for i, c := range results {
		customer := firstAddedCustomer + int64(i)
		row, _ := store.Row(customer)
		isApplied := row.City != nil && *row.City == newCityOf(customer)
		sent := proxy.writesOf(customer)
		isIdle, isComplete := cuts[i].where == afterTheRead, cuts[i].sendsWholeRequest(length)
		tally[fmt.Sprintf("%s, complete %v: %s", placeNames[cuts[i].where], isComplete, c.Code)]++
		switch {
		case sent > 1, sent == 0 && !isIdle:
			t.Errorf("%v: the write was sent %d times, want once", cuts[i], sent)
		case written[customer] > 1 || (written[customer] == 1) != isApplied:
			t.Errorf("%v: the store applied %d writes, and the new city is stored: %v", cuts[i], written[customer], isApplied)
		case c.Outcome == history.Written && (!isApplied || c.After["city"] != newCityOf(customer)):
			t.Errorf("%v: got OK, and the write was not applied", cuts[i])
		case c.Outcome == history.NotWritten && isApplied:
			t.Errorf("%v: got %s, %s, and the write was applied", cuts[i], c.Code, c.state)
		case c.Outcome == history.Unknown && c.code != codes.Unknown:
			t.Errorf("%v: an unknown outcome has the code %s", cuts[i], c.Code)
		case !isIdle && isComplete && c.Outcome != history.Written:
			t.Errorf("%v: got %s, %s, and the write was applied", cuts[i], c.Code, c.reason)
		case !isIdle && !isComplete && isApplied:
			t.Errorf("%v: a partially received request was applied", cuts[i])
		}
	}
	t.Logf("a request has %d bytes; results: %v", length, tally)
}

// sendsWholeRequest reports whether the store gets the complete write.
func (c cut) sendsWholeRequest(length int) bool {
	return c.where == inTheResponse || c.where == inTheRequest && c.bytes == length
}

// twoServices are two services with one client. The one with a short settle time is for writes that the store does not get
// whole, the one with the default settle time for writes that will be applied.
type twoServices struct {
	shortSettle, longSettle *service.Service
	transport               *fluentcart.Transport
}

func newTwoServices(t testing.TB, proxy *cuttingProxy) *twoServices {
	t.Helper()
	g := &twoServices{transport: fluentcart.NewTransport()}
	client, err := fluentcart.New(fluentcart.Config{
		BaseURL: "http://" + proxy.listener.Addr().String(), Credentials: fluentcart.As(sandbox.AdminUsername, sandbox.AdminPassword),
		GetTimeout: 30 * time.Second, PutTimeout: 30 * time.Second, Transport: g.transport,
	})
	if err != nil {
		t.Fatal(err)
	}
	if g.shortSettle, err = service.New(service.Config{Store: client, SettleTime: 100 * time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	if g.longSettle, err = service.New(service.Config{Store: client}); err != nil {
		t.Fatal(err)
	}
	return g
}

func (g *twoServices) close(t testing.TB) {
	g.shortSettle.Close(t.Context())
	g.longSettle.Close(t.Context())
	g.transport.CloseIdleConnections()
}

// newCityOf returns the city that a customer's update sets. All have the same length, and the store stores them unchanged.
func newCityOf(customer int64) string { return fmt.Sprintf("City %d", customer) }

// updateCity updates the city of a customer.
func updateCity(t testing.TB, svc *service.Service, customer int64) result {
	city := newCityOf(customer)
	var c result
	c.record(svc.UpdateCustomer(t.Context(), &customerv1.UpdateCustomerRequest{
		CustomerId: customer, Customer: &customerv1.Customer{City: &city},
	}))
	return c
}
