package server_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server/connlimit"
)

const callsOfBurst = 5 // of each client

// burstClients is how many clients connect at the same moment. The race detector makes each of them ten times as slow.
func burstClients() int {
	if raceEnabled {
		return connlimit.MaxUnauthenticated + 144
	}
	return 1000
}

// Clients of one host that connect at the same moment, such as those behind one NAT after a restart, are all served.
func TestBurstOfConnectionsOfOneHostIsServed(t *testing.T) {
	tokens, given := tokensOf(t, "orders")
	for _, row := range []struct {
		name          string
		callers       auth.Authenticator
		authorization string
	}{
		{"everyone may call", auth.Anyone{}, ""},
		{"callers have a token", tokens, "Bearer " + given["orders"]},
	} {
		t.Run(row.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(authorized(t.Context(), row.authorization), time.Minute)
			defer cancel()
			t.Run("gRPC", func(t *testing.T) {
				g := startMeasured(t, row.callers)
				burst(t, func() (call func() error, disconnect func()) {
					conn, err := grpc.NewClient(g.conn.Target(), grpc.WithTransportCredentials(insecure.NewCredentials()))
					if err != nil {
						t.Error(err)
					}
					return func() error {
						_, err := customerv1.NewCustomerServiceClient(conn).UpdateCustomer(ctx, &customerv1.UpdateCustomerRequest{CustomerId: 1})
						return err
					}, func() { _ = conn.Close() }
				})
			})
			t.Run("JSON", func(t *testing.T) {
				g := startMeasured(t, row.callers)
				burst(t, func() (call func() error, disconnect func()) {
					client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}} // one caller may have 1,024 connections
					return func() error { return putOnce(ctx, client, g.url, row.authorization) }, client.CloseIdleConnections
				})
			})
		})
	}
}

// burst connects all clients at the same moment. Each calls some times, and stays connected until all have.
func burst(t *testing.T, client func() (call func() error, disconnect func())) {
	t.Helper()
	start := make(chan struct{})
	var failed atomic.Int64
	var last atomic.Value
	var all sync.WaitGroup
	for range burstClients() {
		call, disconnect := client()
		defer disconnect()
		all.Go(func() {
			<-start
			for range callsOfBurst {
				if err := call(); err != nil {
					failed.Add(1)
					last.Store(err.Error())
				}
			}
		})
	}
	begin := time.Now()
	close(start)
	all.Wait()
	t.Logf("%d calls in %s", burstClients()*callsOfBurst, time.Since(begin).Round(time.Millisecond))
	if n := failed.Load(); n > 0 {
		t.Errorf("%d of %d calls failed, the last with: %v", n, burstClients()*callsOfBurst, last.Load())
	}
}

// putOnce updates a customer over JSON.
func putOnce(ctx context.Context, client *http.Client, url, authorization string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, url+"/v1/customers/1", strings.NewReader("{}"))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", authorization)
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return errors.New(response.Status)
	}
	return nil
}
