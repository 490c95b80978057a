package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
)

// load is calls that one process sends, to one of the addresses. Each call updates another customer's city, so that
// no call waits for the lease of another.
type load struct {
	GRPC, JSON string
	Store      string // the address of a store: each call is a GET and a PUT, without a gateway
	InFlight   int
	Calls      int
	Rejected   bool // every call must be rejected; otherwise every call must be served
}

// streams is how many calls in flight one gRPC connection has.
const streams = 64

// runLoad is the child process. Its argument is a load as JSON; it prints how long the calls took.
func runLoad(args []string, stdout io.Writer) error {
	if len(args) != 1 {
		return errors.New("load: want one argument, a load as JSON")
	}
	var l load
	if err := json.Unmarshal([]byte(args[0]), &l); err != nil {
		return err
	}
	call, err := l.caller()
	if err != nil {
		return err
	}
	start := time.Now()
	if err := l.send(call); err != nil {
		return err
	}
	fmt.Fprintln(stdout, "took", time.Since(start))
	return nil
}

// send makes the calls, and returns the first that did not end as it should.
func (l *load) send(call func(worker int, customer int64) error) error {
	var next atomic.Int64
	failed := make(chan error, l.InFlight)
	var all sync.WaitGroup
	for worker := range l.InFlight {
		all.Go(func() {
			for n := next.Add(1); n <= int64(l.Calls); n = next.Add(1) {
				if err := call(worker, n); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	all.Wait()
	close(failed)
	return <-failed
}

// caller returns how to make one call.
func (l *load) caller() (func(worker int, customer int64) error, error) {
	switch {
	case l.Store != "":
		return l.direct(), nil
	case l.JSON != "":
		return l.overJSON(), nil
	}
	clients, err := connect(l.GRPC, l.InFlight)
	if err != nil {
		return nil, err
	}
	return func(worker int, customer int64) error {
		response, err := update(context.Background(), clients[worker%len(clients)], customer)
		switch {
		case l.Rejected && status.Code(err) == codes.ResourceExhausted:
			return nil
		case l.Rejected || err != nil:
			return fmt.Errorf("the call ended with %w", err)
		case response.GetCustomer().GetCity() != newCity || response.GetCustomer().GetId() != customer || len(response.GetWarnings()) > 0:
			return fmt.Errorf("the call was answered with %v", response)
		}
		return nil
	}, nil
}

// connect opens connections for that many calls in flight.
func connect(address string, inFlight int) ([]customerv1.CustomerServiceClient, error) {
	var clients []customerv1.CustomerServiceClient
	for range (inFlight + streams - 1) / streams {
		conn, err := grpc.NewClient(strings.TrimPrefix(address, "http://"), grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			return nil, err
		}
		clients = append(clients, customerv1.NewCustomerServiceClient(conn))
	}
	return clients, nil
}

// update makes one call over gRPC.
func update(ctx context.Context, client customerv1.CustomerServiceClient, customer int64) (*customerv1.UpdateCustomerResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
	city := newCity
	return client.UpdateCustomer(ctx, &customerv1.UpdateCustomerRequest{CustomerId: customer, Customer: &customerv1.Customer{City: &city}})
}

// fill makes more calls than the gateway admits, and returns once it has rejected the rest. Those that it has admitted
// last for a minute.
func fill(ctx context.Context, address string) error {
	const more = 16
	clients, err := connect(address, inFlight+queue+more)
	if err != nil {
		return err
	}
	for _, client := range clients { // a first call on each connection, which authenticates it
		if _, err := update(ctx, client, 0); status.Code(err) != codes.InvalidArgument {
			return fmt.Errorf("filling the queue: a call for customer 0 ended with %w", err)
		}
	}
	ended := make(chan error, inFlight+queue+more)
	for n := range cap(ended) {
		go func() {
			_, err := update(ctx, clients[n%len(clients)], int64(n+1))
			ended <- err
		}()
	}
	for range more {
		if err := <-ended; status.Code(err) != codes.ResourceExhausted {
			return fmt.Errorf("filling the queue: a call ended with %w", err)
		}
	}
	return nil
}

func (l *load) overJSON() func(worker int, customer int64) error {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: l.InFlight}, Timeout: time.Minute}
	want := http.StatusOK
	if l.Rejected {
		want = http.StatusTooManyRequests
	}
	return func(_ int, customer int64) error {
		request, err := http.NewRequest(http.MethodPut, fmt.Sprintf("%s/v1/customers/%d", l.JSON, customer), strings.NewReader(`{"city":"`+newCity+`"}`)) //nolint:noctx // the client has a timeout
		if err != nil {
			return err
		}
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Authorization", "Bearer "+token)
		response, err := client.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close() //nolint:errcheck // it has been read, or the error is returned
		content, err := io.ReadAll(response.Body)
		switch {
		case err != nil:
			return err
		case response.StatusCode != want || !l.Rejected && !strings.Contains(string(content), `"city":"`+newCity+`"`):
			return fmt.Errorf("the request was answered with %s: %s", response.Status, content)
		}
		return nil
	}
}

// direct returns how to read and write the store itself.
func (l *load) direct() func(worker int, customer int64) error {
	client := &http.Client{Transport: &http.Transport{}, Timeout: time.Minute}
	return func(_ int, customer int64) error {
		for _, method := range []string{http.MethodGet, http.MethodPut} {
			request, err := http.NewRequest(method, fmt.Sprintf("%s/wp-json/fluent-cart/v2/customers/%d", l.Store, customer), strings.NewReader(`{}`)) //nolint:noctx // the client has a timeout
			if err != nil {
				return err
			}
			response, err := client.Do(request)
			if err != nil {
				return err
			}
			_, err = io.Copy(io.Discard, response.Body)
			_ = response.Body.Close()
			if err != nil || response.StatusCode != http.StatusOK {
				return fmt.Errorf("%s: %s, %w", method, response.Status, err)
			}
		}
		return nil
	}
}
