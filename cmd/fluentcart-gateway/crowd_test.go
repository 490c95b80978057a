package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// asCrowd makes the test binary a crowd of clients in a process of its own: its value is a crowd as JSON. What a crowd
// costs must not be charged to the gateway or to the store, which share the machine with it but not their work.
const asCrowd = "CROWD_PROCESS"

// crowd is many clients.
type crowd struct {
	Store   string // the address of a store: they read and write it directly
	Gateway string // the address of a gateway: they call it, and come back when they are asked to

	Clients, PerConnection int
	Spread, Lasting        time.Duration // within which they come, and after which they stop coming
}

// crowdReport is what came of a crowd.
type crowdReport struct {
	Codes      map[string]int
	Rejections int
	Slowest    time.Duration // of a hundred rejections the slowest but one
}

// send runs a crowd to its end.
func (c crowd) send(t *testing.T) crowdReport {
	t.Helper()
	described, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	process := exec.CommandContext(t.Context(), os.Args[0])
	if c.Gateway != "" { // whoever is asked has to be quicker than whoever asks
		process = exec.CommandContext(t.Context(), "chrt", "--idle", "0", os.Args[0])
	}
	process.Env = append(os.Environ(), asCrowd+"="+string(described))
	process.Stderr = os.Stderr
	output, err := process.Output()
	if err != nil {
		t.Fatal(err)
	}
	var told crowdReport
	if err := json.Unmarshal(output, &told); err != nil {
		t.Fatal(err)
	}
	return told
}

// runAsCrowd is the process.
func runAsCrowd(described string, stdout io.Writer) int {
	var c crowd
	if err := json.Unmarshal([]byte(described), &c); err != nil {
		return exitUsage
	}
	ctx, cancel := context.WithTimeout(context.Background(), c.Lasting)
	defer cancel()
	told := crowdReport{Codes: map[string]int{}}
	var err error
	if c.Store != "" {
		err = c.updateDirectly(ctx)
	} else {
		err = c.call(ctx, &told)
	}
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		return exitFailed
	}
	_ = json.NewEncoder(stdout).Encode(told)
	return exitOK
}

func (c crowd) updateDirectly(ctx context.Context) error {
	var all sync.WaitGroup
	faults := make(chan error, c.Clients)
	for i := range c.Clients {
		all.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			for ctx.Err() == nil {
				if err := directUpdate(context.WithoutCancel(ctx), client, c.Store, 1001+int64(i)); err != nil {
					faults <- err
					return
				}
			}
		})
	}
	all.Wait()
	close(faults)
	return <-faults
}

// directUpdate reads a customer and writes it back as it is, without a gateway.
func directUpdate(ctx context.Context, client *http.Client, store string, customer int64) error {
	address := fmt.Sprintf("%s/wp-json/fluent-cart/v2/customers/%d", store, customer)
	send := func(method, body string) ([]byte, error) {
		request, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
		if err != nil {
			return nil, err
		}
		request.Header.Set("Content-Type", "application/json")
		request.SetBasicAuth(sandbox.AdminUsername, sandbox.AdminPassword)
		response, err := client.Do(request)
		if err != nil {
			return nil, err
		}
		defer response.Body.Close()
		content, err := io.ReadAll(response.Body)
		if err == nil && response.StatusCode != http.StatusOK {
			err = fmt.Errorf("%s: %s", method, response.Status)
		}
		return content, err
	}
	content, err := send(http.MethodGet, "")
	if err != nil {
		return err
	}
	var read struct{ Customer json.RawMessage }
	if err := json.Unmarshal(content, &read); err != nil {
		return err
	}
	_, err = send(http.MethodPut, string(read.Customer))
	return err
}

// call makes each client update a customer of its own once.
func (c crowd) call(ctx context.Context, told *crowdReport) error {
	var clients []customerv1.CustomerServiceClient
	for range c.Clients / c.PerConnection {
		conn, err := grpc.NewClient(c.Gateway, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			return err
		}
		defer conn.Close() //nolint:errcheck // the process ends
		conn.Connect()
		clients = append(clients, customerv1.NewCustomerServiceClient(conn))
	}
	var mu sync.Mutex
	var rejections []time.Duration
	var all sync.WaitGroup
	for i := range c.Clients {
		all.Go(func() {
			<-time.After(rand.N(c.Spread))
			for ctx.Err() == nil {
				call, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
				begin := time.Now()
				notes := fmt.Sprint("call ", i)
				_, err := clients[i/c.PerConnection].UpdateCustomer(call, &customerv1.UpdateCustomerRequest{
					CustomerId: 1001 + int64(i), Customer: &customerv1.Customer{Notes: &notes},
				})
				took := time.Since(begin)
				cancel()
				_, code := outcomeOf(err)
				mu.Lock()
				told.Codes[code]++
				if status.Code(err) == codes.ResourceExhausted {
					rejections = append(rejections, took)
				}
				mu.Unlock()
				if err == nil {
					return
				}
				select {
				case <-ctx.Done():
				case <-time.After(retryAfter(err) + rand.N(8*time.Second)):
				}
			}
		})
	}
	all.Wait()
	told.Rejections, told.Slowest = len(rejections), percentile(rejections, 99)
	return nil
}
