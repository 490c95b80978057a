package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// A store that hangs does not keep a gateway from stopping. It is not ready at once, it ends within the drain delay and the
// drain timeout, and no write is lost from view: the log names each customer.
func TestGatewayInFrontOfAStoreThatHangsStopsInTime(t *testing.T) {
	const delay, drain, writes = 500 * time.Millisecond, 3 * time.Second, 4
	begun := make(chan struct{}, writes)
	_, storeURL := startStore(t, sandbox.Config{Customers: writes, Fail: func(r *http.Request) *sandbox.Failure {
		if r.Method != http.MethodPut {
			return nil
		}
		begun <- struct{}{}
		return &sandbox.Failure{Work: sandbox.Never, Delivery: sandbox.Silent}
	}})
	p := startGateway(t, storeURL, "--get-timeout=1s", "--put-timeout=2s", "--write-settle-time=1m", "--drain-timeout="+drain.String(), "--drain-delay="+delay.String())
	var calls sync.WaitGroup
	ends := make([]error, writes)
	for i, customer := range ids(writes) {
		client := []customerv1.CustomerServiceClient{p.customers, p.overJSON}[i%2]
		calls.Go(func() { _, ends[i] = client.UpdateCustomer(t.Context(), cityOf(customer)) })
	}
	for range writes {
		<-begun
	}
	begin := time.Now()
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if !waitFor(t, readyWithin, func() bool {
		httpStatus, said := p.admin(t, "/readyz")
		return httpStatus == http.StatusServiceUnavailable && strings.Contains(said, "the gateway is stopping")
	}) {
		t.Error("it does not say that it is stopping")
	}
	<-p.ended
	took := time.Since(begin)
	calls.Wait()
	most := delay + drain + time.Second
	if hasRaceDetector() {
		most += time.Second // its runtime waits so long at the end of a process
	}
	if took < delay || took > most {
		t.Errorf("it stopped after %s", took)
	}
	log := p.log.String()
	for i, customer := range ids(writes) {
		if ends[i] == nil || !strings.Contains(log, fmt.Sprintf(`"msg":"stopped with a write in doubt; it may still be applied","customer_id":%d,`, customer)) {
			t.Errorf("customer %d: the caller got %v, and the log does not name it:\n%s", customer, ends[i], log)
		}
	}
	if code := p.command.ProcessState.ExitCode(); code != 0 || !strings.Contains(log, `"msg":"stopped"`) {
		t.Errorf("exit code %d; the log:\n%s", code, log)
	}
}

// readyWithin bounds how long readiness may lag behind a signal: 100 ms, and time for a busy machine.
const readyWithin = 500 * time.Millisecond
