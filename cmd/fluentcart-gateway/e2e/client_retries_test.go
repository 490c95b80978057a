package e2e

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

const serviceConfigFile = "../../../client/service-config.json"

// clientCall is one of the calls that a program makes at the same time.
type clientCall struct {
	Address       string         `json:"address"`
	Config        map[string]any `json:"config"` // the service config
	Method        string         `json:"method"`
	Request       any            `json:"request"`
	Timeout       int64          `json:"timeout"` // ms
	Cancel        int64          `json:"cancel"`  // after ms, if it is not 0
	Authorization string         `json:"authorization"`
}

// clientEnd is how a program says that a call has ended.
type clientEnd struct {
	Status string `json:"status"` // code, reason and write state
	Took   int64  `json:"took"`   // ms
}

// The attempts of one call are counted at the gateway, for each code that a gRPC client can get from it.
func TestClientsRetryAsTheServiceConfigSays(t *testing.T) {
	onceOnly(t)
	for _, client := range []struct {
		language string
		program  func(t testing.TB) (environment, command []string)
	}{
		{"Node", func(t testing.TB) ([]string, []string) {
			t.Helper()
			needsNode(t)
			return nil, []string{"node", "call.mjs", protos(t)}
		}},
		{"Python", func(t testing.TB) ([]string, []string) {
			t.Helper()
			return []string{"PYTHONPATH=" + generatePython(t)}, []string{python, "call.py"}
		}},
	} {
		t.Run(client.language, func(t *testing.T) {
			t.Parallel()
			environment, command := client.program(t)
			gateways, calls := make([]*process, len(retriedCalls)), make([]clientCall, len(retriedCalls))
			for i, tt := range retriedCalls {
				cfg := sandbox.Config{}
				if tt.fail != nil {
					cfg.Fail = tt.fail()
				}
				_, storeURL := startStore(t, cfg)
				gateways[i] = startGateway(t, storeURL, tt.flags...)
				calls[i] = tt.call(t, gateways[i].grpcAddr)
			}
			argument, err := json.Marshal(calls)
			if err != nil {
				t.Fatal(err)
			}
			var ends []clientEnd
			if err := json.Unmarshal([]byte(run(t, clients, environment, command[0], append(command[1:], string(argument))...)), &ends); err != nil {
				t.Fatal(err)
			}
			if len(ends) != len(retriedCalls) {
				t.Fatalf("%d of %d calls ended", len(ends), len(retriedCalls))
			}
			for i, tt := range retriedCalls {
				t.Run(tt.name, func(t *testing.T) {
					// A client that does not wait makes the error itself.
					leaves, got := tt.timeout != 0 || tt.cancel != 0, ends[i].Status
					if code, _, _ := strings.Cut(tt.want, " "); got != tt.want && (!leaves || got != code) {
						t.Errorf("the client got %q, want %q", got, tt.want)
					}
					if took := time.Duration(ends[i].Took) * time.Millisecond; took < tt.takes {
						t.Errorf("it took %s: the client did not wait as long as it was asked to", took)
					}
					if diff := cmp.Diff(tt.attempts, gateways[i].endedCalls(t)); diff != "" {
						t.Error(diff)
					}
				})
			}
		})
	}
}

func (c retriedCall) call(t testing.TB, address string) clientCall {
	t.Helper()
	call := clientCall{
		Address:       address,
		Config:        serviceConfig(t),
		Method:        "UpdateCustomer",
		Request:       map[string]any{"customer_id": 1, "customer": map[string]any{"city": "Lyon"}},
		Timeout:       30_000,
		Cancel:        c.cancel.Milliseconds(),
		Authorization: c.authorization,
	}
	if c.careless {
		call.Config = carelessConfig()
	}
	if c.read {
		call.Method, call.Request = "GetCustomer", map[string]any{"customer_id": 1}
	}
	if c.request != "" {
		call.Request = json.RawMessage(c.request)
	}
	if c.timeout != 0 {
		call.Timeout = c.timeout.Milliseconds()
	}
	return call
}

// serviceConfig is the one that clients are given, with a backoff of milliseconds, and without health checks: with them a Python
// client does not call a gateway that is not ready, so that there would be nothing to count.
func serviceConfig(t testing.TB) map[string]any {
	t.Helper()
	content, err := os.ReadFile(serviceConfigFile)
	if err != nil {
		t.Fatal(err)
	}
	config := map[string]any{}
	if err := json.Unmarshal(content, &config); err != nil {
		t.Fatal(err)
	}
	delete(config, "healthCheckConfig")
	for _, method := range config["methodConfig"].([]any) {
		policy := method.(map[string]any)["retryPolicy"].(map[string]any)
		policy["initialBackoff"], policy["maxBackoff"] = "0.02s", "0.02s"
	}
	return config
}

// carelessConfig retries every code.
func carelessConfig() map[string]any {
	codes := strings.Fields(`CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED
		RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS UNAUTHENTICATED`)
	return map[string]any{"methodConfig": []any{map[string]any{
		"name": []any{map[string]any{"service": "fluentcart.customer.v1.CustomerService"}},
		"retryPolicy": map[string]any{
			"maxAttempts": 4, "initialBackoff": "0.02s", "maxBackoff": "0.02s", "backoffMultiplier": 1, "retryableStatusCodes": codes,
		},
	}}}
}

var (
	endedCall    = regexp.MustCompile(`(?m)^fluentcart_gateway_calls_total\{.*code="(\w+)",.*reason="(\w*)",transport="grpc"\} (\d+)$`)
	rejectedCall = regexp.MustCompile(`(?m)^fluentcart_gateway_requests_rejected_total\{reason="(\w+)",transport="grpc"\} ([1-9]\d*)$`)
)

// endedCalls waits until no call is in flight, and returns the count, code and reason of the calls of the gRPC server. Those
// that were rejected before they became calls have no code.
func (p *process) endedCalls(t testing.TB) string {
	t.Helper()
	var metrics string
	if !waitFor(t, 20*time.Second, func() bool {
		_, metrics = p.admin(t, "/metrics")
		return !strings.Contains(metrics, "\nfluentcart_gateway_calls_in_flight{transport=\"grpc\"} 1\n")
	}) {
		t.Fatal("a call is still in flight")
	}
	var ended []string
	for _, match := range endedCall.FindAllStringSubmatch(metrics, -1) {
		ended = append(ended, strings.TrimSpace(match[3]+" "+match[1]+" "+match[2]))
	}
	for _, match := range rejectedCall.FindAllStringSubmatch(metrics, -1) {
		ended = append(ended, match[2]+" rejected "+match[1])
	}
	slices.Sort(ended)
	return strings.Join(ended, ", ")
}
