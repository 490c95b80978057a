package e2e

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	healthv1 "google.golang.org/grpc/health/grpc_health_v1"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/history"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// One caller sends a text that a firewall refuses (F30), 100 times. Neither the others nor the readiness of the gateway may
// suffer: otherwise one caller's text could take all gateways out of service.
func TestTextsThatAFirewallRefusesHarmNoOtherCaller(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		page sandbox.Response
	}{
		{"mod_security", sandbox.ModSecurity(http.StatusForbidden)},
		{"Cloudflare's challenge", sandbox.CloudflareChallenge(http.StatusServiceUnavailable)},
		{"a captcha under 200", sandbox.Imunify()},
		{"a captcha under 405", sandbox.AWSCaptcha()},
		{"a limit of the rate", sandbox.RateLimit(http.StatusTooManyRequests)},
	} {
		t.Run(row.name, func(t *testing.T) {
			store, url := startStore(t, sandbox.Config{
				Latency: time.Millisecond, Customers: 10, Firewall: &sandbox.FirewallConfig{Texts: []string{"union select"}, Page: row.page},
			})
			gateway := startGateway(t, url)
			health := healthv1.NewHealthClient(gateway.conn)
			s := newStorm(store)
			refused, stop := context.WithCancel(t.Context())
			var others sync.WaitGroup
			for _, customer := range ids(4) {
				others.Go(func() {
					for refused.Err() == nil {
						ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
						if call := s.update(ctx, gateway.anyTransport(), customer); call.Outcome != history.Written {
							t.Errorf("another caller: %s", call)
						}
						cancel()
					}
				})
			}
			for range 100 {
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
				_, err := gateway.anyTransport().UpdateCustomer(ctx, &customerv1.UpdateCustomerRequest{
					CustomerId: 1010, Customer: &customerv1.Customer{Notes: new("1 UNION SELECT 2")},
				})
				cancel()
				if outcome, code := outcomeOf(err); outcome != history.NotWritten || !strings.HasSuffix(code, " STORE_BLOCKED") {
					t.Errorf("the refused text: %s", code)
				}
				if code, said := gateway.admin(t, "/readyz"); code != http.StatusOK {
					t.Errorf("/readyz: %d %s", code, said)
				}
				if response, err := health.Check(t.Context(), &healthv1.HealthCheckRequest{}); err != nil || response.GetStatus() != healthv1.HealthCheckResponse_SERVING {
					t.Errorf("health: %v, %v", response, err)
				}
				if t.Failed() {
					break
				}
			}
			stop()
			others.Wait()
			s.judge(t, store)
		})
	}
}
