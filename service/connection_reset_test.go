package service_test

import (
	"fmt"
	"net/http"
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

// The connection to the store breaks after each byte of a write's request, and after each tenth of its answer. The
// write is never sent a second time, and what the caller is told is so.
func TestTornConnections(t *testing.T) {
	const customers = 999 // so that all ids, and with them all requests, are of one length
	store := sandbox.New(sandbox.Config{Customers: customers, KeepLog: true})
	listening := httptest.NewServer(store)
	t.Cleanup(listening.Close)
	proxy := newCuttingProxy(t, strings.TrimPrefix(listening.URL, "http://"))

	// The first call is cut nowhere, and tells how long a request is.
	const lastAddedCustomer = firstAddedCustomer + customers - 1
	uncut := newTornGateway(t, proxy)
	if c := move(t, uncut.patient, lastAddedCustomer); c.Outcome != history.Written {
		t.Fatalf("uncut: %s", c.Code)
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
		cuts = append(cuts, cut{where: inTheAnswer, portion: portion})
	}
	if len(cuts) >= customers {
		t.Fatalf("%d cuts, and %d customers", len(cuts), customers)
	}

	outcomes := make([]result, len(cuts))
	waiting := make(chan int, len(cuts))
	for i, c := range cuts {
		proxy.plan(firstAddedCustomer+int64(i), c)
		waiting <- i
	}
	close(waiting)
	var gateways sync.WaitGroup
	for range 48 { // most of their time they wait for a landing
		gateway := newTornGateway(t, proxy)
		gateways.Go(func() {
			defer gateway.close(t)
			for i := range waiting {
				customers := gateway.hasty
				if cuts[i].isAfterTheRequest(length) {
					customers = gateway.patient
				}
				outcomes[i] = move(t, customers, firstAddedCustomer+int64(i))
			}
		})
	}
	gateways.Wait()
	proxy.close()
	listening.Close() // what the store has begun has ended then

	written := map[int64]int{}
	for _, w := range store.Writes() {
		written[w.Customer]++
	}
	tally := map[string]int{}
	for i, c := range outcomes {
		customer := firstAddedCustomer + int64(i)
		row, _ := store.Row(customer)
		isThere := row.City != nil && *row.City == cityOf(customer)
		sent := proxy.writesOf(customer)
		isIdle, isWhole := cuts[i].where == afterTheRead, cuts[i].isAfterTheRequest(length)
		tally[fmt.Sprintf("%s, whole %v: %s", placeNames[cuts[i].where], isWhole, c.Code)]++
		switch {
		case sent > 1, sent == 0 && !isIdle:
			t.Errorf("%v: the write was sent %d times", cuts[i], sent)
		case written[customer] > 1 || (written[customer] == 1) != isThere:
			t.Errorf("%v: %d writes, and the new city is there: %v", cuts[i], written[customer], isThere)
		case c.Outcome == history.Written && (!isThere || c.After["city"] != cityOf(customer)):
			t.Errorf("%v: told OK, and it is not so", cuts[i])
		case c.Outcome == history.NotWritten && isThere:
			t.Errorf("%v: told %s, %s, and it was written", cuts[i], c.Code, c.state)
		case c.Outcome == history.Unknown && c.code != codes.Unknown:
			t.Errorf("%v: unknown under %s", cuts[i], c.Code)
		case !isIdle && isWhole && c.Outcome != history.Written:
			t.Errorf("%v: told %s, %s, and it was written", cuts[i], c.Code, c.reason)
		case !isIdle && !isWhole && isThere:
			t.Errorf("%v: half a request was applied", cuts[i])
		}
	}
	t.Logf("a request has %d bytes; %v", length, tally)
}

// isAfterTheRequest says whether the store gets the whole write.
func (c cut) isAfterTheRequest(length int) bool {
	return c.where == inTheAnswer || c.where == inTheRequest && c.bytes == length
}

// tornGateway are two services over one client: one that gives a write little time to land, and one that gives it much,
// for those of which it is known that they will.
type tornGateway struct {
	hasty, patient *service.Service
	transport      *http.Transport
}

func newTornGateway(t testing.TB, proxy *cuttingProxy) *tornGateway {
	t.Helper()
	g := &tornGateway{transport: fluentcart.NewTransport()}
	client, err := fluentcart.New(fluentcart.Config{
		BaseURL: "http://" + proxy.listener.Addr().String(), Credentials: fluentcart.As(sandbox.AdminUsername, sandbox.AdminPassword),
		GetTimeout: 30 * time.Second, PutTimeout: 30 * time.Second, Transport: g.transport,
	})
	if err != nil {
		t.Fatal(err)
	}
	if g.hasty, err = service.New(service.Config{Store: client, SettleTime: 100 * time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	if g.patient, err = service.New(service.Config{Store: client}); err != nil {
		t.Fatal(err)
	}
	return g
}

func (g *tornGateway) close(t testing.TB) {
	g.hasty.Close(t.Context())
	g.patient.Close(t.Context())
	g.transport.CloseIdleConnections()
}

// cityOf is what is asked for a customer; the store keeps it as it is, and it has one length.
func cityOf(customer int64) string { return fmt.Sprintf("City %d", customer) }

// move asks a service for another city.
func move(t testing.TB, customers *service.Service, customer int64) result {
	city := cityOf(customer)
	var c result
	c.record(customers.UpdateCustomer(t.Context(), &customerv1.UpdateCustomerRequest{
		CustomerId: customer, Customer: &customerv1.Customer{City: &city},
	}))
	return c
}
