package e2e

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
)

// asLoad makes the test binary many clients in a process of their own; its value is a load as JSON. A separate process
// keeps the cost of the clients apart from that of the store, which runs in the test itself.
const asLoad = "E2E_LOAD"

// load is many clients.
type load struct {
	Store   string // the address of a store: they read and write it directly
	Gateway string // the address of a gateway: they call it, and retry when it asks for a retry

	Clients, PerConnection int
	Spread, Lasting        time.Duration // within which they start, and after which they stop
	Timeout                time.Duration // of a call; 0 is 30 s
	Return                 time.Duration // after a rejection; 0 is when the gateway says, spread over 8 s

	// Rate makes it an open loop: so many calls are made a second, whatever becomes of earlier ones. They go round Customers.
	Rate, Customers int
}

// loadReport is the outcome of a load.
type loadReport struct {
	Codes      map[string]int
	Rejections int
	Evictions  int // the rejections of calls that had waited in the queue

	// The time in which calls were rejected that did not wait, p99: of those made within load.Spread, when all clients come,
	// and of the later ones.
	BurstTime, LaterTime time.Duration

	Goodput float64 // of an open loop: calls a second that got OK
}

// send runs a load to its end.
func (l load) send(t *testing.T) loadReport {
	t.Helper()
	described, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	process := exec.CommandContext(t.Context(), os.Args[0])
	if l.Gateway != "" { // the gateway must not wait for the processor because of the clients
		needs(t, "chrt")
		process = lowPriority(t.Context())
	}
	process.Env = append(os.Environ(), asLoad+"="+string(described))
	process.Stderr = os.Stderr
	output, err := process.Output()
	if err != nil {
		t.Fatal(err)
	}
	var report loadReport
	if err := json.Unmarshal(output, &report); err != nil {
		t.Fatal(err)
	}
	return report
}

// runLoad is the child process.
func runLoad(described string, stdout io.Writer) int {
	var l load
	if err := json.Unmarshal([]byte(described), &l); err != nil {
		return 2
	}
	ctx, cancel := context.WithTimeout(context.Background(), l.Lasting)
	defer cancel()
	report := loadReport{Codes: map[string]int{}}
	var err error
	switch {
	case l.Store != "":
		err = l.updateDirectly(ctx)
	case l.Rate > 0:
		err = l.callAtRate(ctx, &report)
	default:
		err = l.call(ctx, &report)
	}
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		return 1
	}
	_ = json.NewEncoder(stdout).Encode(report)
	return 0
}

func (l load) updateDirectly(ctx context.Context) error {
	var all sync.WaitGroup
	faults := make(chan error, l.Clients)
	for i := range l.Clients {
		all.Go(func() {
			client := &http.Client{Transport: &http.Transport{}}
			for ctx.Err() == nil {
				if err := directUpdate(context.WithoutCancel(ctx), client, l.Store, 1001+int64(i)); err != nil {
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

// connect opens the connections. They are closed when the process ends.
func (l load) connect() (clients []customerv1.CustomerServiceClient, err error) {
	for range l.Clients / l.PerConnection {
		conn, err := grpc.NewClient(l.Gateway, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			return nil, err
		}
		conn.Connect()
		clients = append(clients, customerv1.NewCustomerServiceClient(conn))
	}
	return clients, nil
}

// call lets each client update a customer of its own once.
func (l load) call(ctx context.Context, report *loadReport) error {
	clients, err := l.connect()
	if err != nil {
		return err
	}
	start := time.Now()
	var mu sync.Mutex
	var burst, later []time.Duration
	var all sync.WaitGroup
	for i := range l.Clients {
		all.Go(func() {
			<-time.After(rand.N(l.Spread))
			for ctx.Err() == nil {
				call, cancel := context.WithTimeout(context.WithoutCancel(ctx), cmp.Or(l.Timeout, 30*time.Second))
				begin := time.Now()
				notes := fmt.Sprint("call ", i)
				_, err := clients[i/l.PerConnection].UpdateCustomer(call, &customerv1.UpdateCustomerRequest{
					CustomerId: 1001 + int64(i), Customer: &customerv1.Customer{Notes: &notes},
				})
				took := time.Since(begin)
				cancel()
				_, code := outcomeOf(err)
				mu.Lock()
				report.Codes[code]++
				if status.Code(err) == codes.ResourceExhausted {
					report.Rejections++
					switch {
					case strings.Contains(status.Convert(err).Message(), "evicted from the queue"):
						report.Evictions++
					case begin.Sub(start) < l.Spread:
						burst = append(burst, took)
					default:
						later = append(later, took)
					}
				}
				mu.Unlock()
				if err == nil {
					return
				}
				pause := l.Return
				if pause == 0 {
					pause = retryAfter(err) + rand.N(8*time.Second)
				}
				select {
				case <-ctx.Done():
				case <-time.After(pause):
				}
			}
		})
	}
	all.Wait()
	report.BurstTime, report.LaterTime = percentile(burst, 99), percentile(later, 99)
	return nil
}

// retryAfter is the delay after which an error asks to retry; 0 if it does not.
func retryAfter(err error) time.Duration {
	for _, detail := range status.Convert(err).Details() {
		if retry, ok := detail.(*errdetails.RetryInfo); ok {
			return retry.GetRetryDelay().AsDuration()
		}
	}
	return 0
}

func percentile(durations []time.Duration, percent int) time.Duration {
	if len(durations) == 0 {
		return 0
	}
	slices.Sort(durations)
	return durations[(len(durations)-1)*percent/100]
}
