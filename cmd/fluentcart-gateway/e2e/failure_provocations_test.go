package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox/faults"
)

// provocation starts a gateway, and returns it with what makes a failure happen: nil if it begins with the start. The
// log and the metrics from before do not count.
type provocation func(t *testing.T) (gateway *process, happen func())

// provocations has one for each row of the table.
var provocations = map[string]provocation{
	"Store down":            storeDown(1),
	"Breaker open":          storeDown(9),
	"Store hangs":           storeFails(`{"fault":"hang","on":"read"}`, shortTimes...),
	"Maintenance":           storeFails(`{"fault":"maintenance"}`),
	"PHP down":              storeFails(`{"fault":"down"}`),
	"Store slow":            storeFails(`{"fault":"slow","delay":"150ms"}`),
	"Store limits requests": storeFails(`{"fault":"rate_limited"}`),
	"Credentials refused":   storeFails(`{"fault":"credentials_refused"}`),
	"Route missing":         storeFails(`{"fault":"route_missing"}`),
	"Blocked":               storeFails(`{"fault":"firewall"}`),
	"Redirect":              storeFails(`{"fault":"redirect"}`),
	"TLS not trusted":       storeNotTrusted,
	"Cached reads":          storeFails(`{"fault":"cached_read"}`),
	"No JSON":               storeFails(`{"fault":"not_json"}`),
	"Response lost":         storeFails(`{"fault":"connection_reset_after_write"}`),
	"Outcome unknown":       storeFails(`{"fault":"hang"}`, shortTimes...),
	"Stored differently":    storeCleans,

	"Companion gone":     companionGone,
	"Companion missing":  companionMissing,
	"Companion refuses":  companionRefuses,
	"Update cancelled":   companionFails(sandbox.Failure{Work: sandbox.Never, Delivery: sandbox.Reset}),
	"Update rolled back": companionFails(sandbox.Failure{Cause: "transaction"}),

	"Queue full":             queueFull,
	"Queue too long":         queueTooLong,
	"Deadline too short":     deadlineTooShort,
	"One customer":           customerFlooded,
	"Greedy caller":          greedyCaller,
	"Own limit of the rate":  ownRate,
	"Accounts not verified":  accountsNotVerified,
	"No credentials":         noCredentials,
	"Connections evicted":    connectionsEvicted,
	"Redis down":             redisFails(func(t *testing.T, r *redisWith) { r.Kill(t) }),
	"Redis restarted":        redisFails(func(t *testing.T, r *redisWith) { r.Restart(t) }),
	"Redis wants a password": redisFails(func(t *testing.T, r *redisWith) { r.RestartWithPassword(t, "another") }),
	"Redis permits too little": redisFails(func(t *testing.T, r *redisWith) {
		r.command(t, "ACL", "SETUSER", "default", "-@scripting")
	}),
	"Redis may evict": redisFails(func(t *testing.T, r *redisWith) {
		r.command(t, "CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
	}),
	"Redis refuses the password": redisRefusesPassword,
	"Certificate expired":        certificateExpired,
	"File not usable":            fileNotUsable,
	"Collector fails":            collectorFails,
	"Stopping":                   stops,
}

// shortTimes are the time limits of gateways whose store or Redis does not answer.
var shortTimes = []string{"--get-timeout=400ms", "--put-timeout=400ms", "--write-settle-time=2500ms", "--drain-timeout=1s"}

// serials make the values of updates differ.
var serials atomic.Int64

// update makes an update, whose outcome is in the metrics and the log. A timeout of 0 is no deadline.
func update(t testing.TB, over customerv1.CustomerServiceClient, customer int64, timeout time.Duration) {
	t.Helper()
	ctx, cancel := withTimeout(t.Context(), timeout)
	defer cancel()
	city := proto.String(fmt.Sprintf("City %d", serials.Add(1)))
	_, _ = over.UpdateCustomer(ctx, &customerv1.UpdateCustomerRequest{CustomerId: customer, Customer: &customerv1.Customer{City: city}})
}

// startFaultyStore serves a sandbox store with a fault.
func startFaultyStore(t testing.TB, fault string) (url string) {
	t.Helper()
	injected := faults.New()
	store := sandbox.New(sandbox.Config{Customers: 100, Fail: injected.Fail})
	server := httptest.NewServer(injected.Handler(store))
	t.Cleanup(server.Close)
	t.Cleanup(store.Close)
	response, err := http.Post(server.URL+"/sandbox/faults", "application/json", strings.NewReader(fault)) //nolint:noctx // it ends when the server does
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusCreated {
		t.Fatalf("%s: %s", fault, response.Status)
	}
	return server.URL
}
