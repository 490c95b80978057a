package e2e

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// connect opens n more connections to a gateway.
func connect(t *testing.T, p *process, n int) []customerv1.CustomerServiceClient {
	t.Helper()
	clients := make([]customerv1.CustomerServiceClient, n)
	for i := range clients {
		conn, err := grpc.NewClient(p.grpcAddr, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		conn.Connect()
		clients[i] = customerv1.NewCustomerServiceClient(conn)
	}
	return clients
}

// Under load and with random deadlines, the gateway sends no request that cannot end in time, and callers get its answer
// before their deadline.
func TestDeadlinesAreKept(t *testing.T) {
	calls := 600
	if soaking(t) {
		calls = 3000
	}
	var mu sync.Mutex
	deadlines := map[string]time.Time{}
	tooLate := map[string][]time.Duration{}
	sent := map[string]int{}
	store, url := startStore(t, phpStore(calls+40, func(r *http.Request) *sandbox.Failure {
		mu.Lock()
		defer mu.Unlock()
		if deadline, ok := deadlines[r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]]; ok {
			sent[r.Method]++
			needed := 33 * time.Millisecond
			if r.Method == http.MethodGet {
				needed *= 2
			}
			if left := time.Until(deadline); left < needed {
				tooLate[r.Method] = append(tooLate[r.Method], left)
			}
		}
		return nil
	}))
	gateway := startGateway(t, url)
	s := newStorm(store)
	warmUp(t, s, []*process{gateway}, 1001, 10*time.Second)
	load, enough := context.WithCancel(t.Context())
	var busy, all sync.WaitGroup
	busy.Go(func() { s.run(load, 40, ids(40), func() *process { return gateway }, time.Minute) })
	<-time.After(time.Second)
	// grpc-go sends the remaining time before it waits for a free stream, and a connection has 100 streams: calls need more
	// connections.
	clients := connect(t, gateway, 16)
	unanswered, answered := 0, 0
	for _, customer := range ids(calls + 40)[40:] {
		timeout := time.Millisecond + rand.N(5*time.Second)
		all.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), timeout)
			defer cancel()
			deadline, _ := ctx.Deadline()
			mu.Lock()
			deadlines[strconv.FormatInt(customer, 10)] = deadline
			mu.Unlock()
			call := s.update(ctx, pick(clients), customer)
			mu.Lock()
			defer mu.Unlock()
			if call.Code == "DeadlineExceeded" {
				unanswered++
			} else {
				answered++
			}
		})
		<-time.After(5 * time.Millisecond)
	}
	all.Wait()
	enough()
	busy.Wait()
	t.Logf("%d answers in time, %d not; sent with too little time left: %v of %v", answered, unanswered, tooLate, sent)
	if unanswered*100 > calls {
		t.Errorf("%d of %d callers got no answer before their deadline, want 1 in 100", unanswered, calls)
	}
	if len(tooLate) > 0 || sent[http.MethodPut] < calls/10 {
		t.Errorf("sent with too little time left: %v of %v", tooLate, sent)
	}
	s.judge(t, store)
}
