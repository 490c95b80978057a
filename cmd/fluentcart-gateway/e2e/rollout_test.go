package e2e

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/grpc/health" // for the health checks of the client
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
	"google.golang.org/protobuf/proto"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease/redistest"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

const (
	rolloutRounds = 10
	rolloutRate   = 200 // calls a second, over all ways
)

// Three gateways are restarted one after another under load. Their clients notice nothing: neither gRPC clients that balance
// themselves, nor JSON clients behind the reverse proxies of deploy/.
func TestRolloutFailsNoCall(t *testing.T) {
	soaking(t)
	customers := ids(200)
	_, storeURL := startStore(t, sandbox.Config{Latency: 2 * time.Millisecond, Customers: len(customers)})
	flags := []string{"--redis-url=" + redistest.Start(t).URL, "--drain-delay=600ms", "--get-timeout=2s", "--put-timeout=2s", "--write-settle-time=2s", "--drain-timeout=5s"}
	members := newMembers(t, 3)
	gateways := make([]*process, len(members))
	for i := range members {
		gateways[i] = startGateway(t, storeURL, append(members[i].flags(), flags...)...)
		gateways[i].becomes(t, http.StatusOK, "ready\n")
	}
	ways := map[string]customerv1.CustomerServiceClient{"gRPC": balancingClient(t, members)}
	for _, proxy := range reverseProxies() {
		ways["JSON through "+proxy.name] = proxy.run(t, members).overJSON(t, false)
	}

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var calls, load sync.WaitGroup
	var mu sync.Mutex
	made, failures := map[string]int{}, map[string][]string{}
	load.Go(func() {
		tick := time.NewTicker(time.Second * time.Duration(len(ways)) / rolloutRate)
		defer tick.Stop()
		for i := 0; ctx.Err() == nil; i++ {
			for way, client := range ways {
				calls.Go(func() {
					err := updateOrRead(t.Context(), client, customers[i%len(customers)], i)
					mu.Lock()
					defer mu.Unlock()
					if made[way]++; err != nil {
						failures[way] = append(failures[way], fmt.Sprintf("%s: %v", time.Now().Format("05.000"), err))
					}
				})
			}
			<-tick.C
		}
	})
	for range rolloutRounds {
		for i := range gateways {
			if code := gateways[i].stop(); code != 0 {
				t.Errorf("a gateway ended with the status %d:\n%s", code, gateways[i].log)
			}
			gateways[i] = startGateway(t, storeURL, append(members[i].flags(), flags...)...)
			gateways[i].becomes(t, http.StatusOK, "ready\n")
			<-time.After(300 * time.Millisecond) // until the balancers have noticed that it is back
		}
	}
	stop()
	load.Wait()
	calls.Wait()
	t.Logf("calls: %v", made)
	for way, failed := range failures {
		t.Errorf("%s: %d of %d calls failed:\n%s", way, len(failed), made[way], strings.Join(failed[:min(len(failed), 10)], "\n"))
	}
}

// updateOrRead updates a customer or reads it, in turn.
func updateOrRead(ctx context.Context, client customerv1.CustomerServiceClient, customer int64, i int) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	if i%2 == 0 {
		_, err := client.GetCustomer(ctx, &customerv1.GetCustomerRequest{CustomerId: customer})
		return err
	}
	_, err := client.UpdateCustomer(ctx, &customerv1.UpdateCustomerRequest{
		CustomerId: customer, Customer: &customerv1.Customer{City: proto.String(fmt.Sprint("City ", i))},
	})
	return err
}

// balancingClient is a gRPC client that calls the gateways in turn, except for those that say they are not ready.
func balancingClient(t testing.TB, members []member) customerv1.CustomerServiceClient {
	t.Helper()
	var state resolver.State
	for _, m := range members {
		state.Addresses = append(state.Addresses, resolver.Address{Addr: m.grpcAddr})
	}
	addresses := manual.NewBuilderWithScheme("gateways")
	addresses.InitialState(state)
	conn, err := grpc.NewClient("gateways:///all", grpc.WithResolvers(addresses), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultServiceConfig(`{"loadBalancingConfig":[{"round_robin":{}}],"healthCheckConfig":{"serviceName":"fluentcart.customer.v1.CustomerService"}}`))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return customerv1.NewCustomerServiceClient(conn)
}
