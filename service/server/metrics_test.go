package server_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/grpc/metadata"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server/connlimit"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server/interceptor"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/telemetry"
)

// startMeasured runs a gateway in front of a service that always succeeds.
func startMeasured(t *testing.T, callers auth.Authenticator) *gateway {
	t.Helper()
	g := &gateway{log: &lockedBuffer{}, callers: callers, metrics: interceptor.NewMetrics()}
	g.serve(t, scripted{update: func(context.Context, *customerv1.UpdateCustomerRequest) (*customerv1.UpdateCustomerResponse, error) {
		return &customerv1.UpdateCustomerResponse{}, nil
	}}, 30*time.Second)
	return g
}

// tokensOf returns callers with tokens, and a token for each name.
func tokensOf(t *testing.T, names ...string) (auth.Bearers, map[string]string) {
	t.Helper()
	var file strings.Builder
	given := map[string]string{}
	for _, name := range names {
		token, line, err := auth.NewToken(name, nil)
		if err != nil {
			t.Fatal(err)
		}
		file.WriteString(line + "\n")
		given[name] = token.Reveal()
	}
	tokens, err := auth.ParseTokens([]byte(file.String()), auth.Permissions{})
	if err != nil {
		t.Fatal(err)
	}
	return auth.Bearers{Tokens: func() *auth.Tokens { return tokens }}, given
}

// gathered returns the counters and gauges by their labels, and how many series there are of any kind.
func gathered(t *testing.T, metrics prometheus.Collector) (values map[string]float64, series int) {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(metrics)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values = map[string]float64{}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			series += 1 + len(metric.GetHistogram().GetBucket())
			values[strings.TrimPrefix(family.GetName(), "fluentcart_gateway_")+" "+labelsOf(metric)] = metric.GetCounter().GetValue() + metric.GetGauge().GetValue() + float64(metric.GetHistogram().GetSampleCount())
		}
	}
	return values, series
}

func labelsOf(metric *dto.Metric) string {
	var labels []string
	for _, label := range metric.GetLabel() {
		if label.GetName() == "method" {
			continue
		}
		labels = append(labels, label.GetName()+"="+label.GetValue())
	}
	return strings.Join(labels, " ")
}

func authorized(ctx context.Context, value string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "authorization", value)
}

func TestCallsAndRejectionsOfBothTransportsAreCounted(t *testing.T) {
	callers, tokens := tokensOf(t, "orders")
	g := startMeasured(t, callers)
	bearer := "Bearer " + tokens["orders"]
	request := &customerv1.UpdateCustomerRequest{CustomerId: 1}
	if _, err := g.grpc.UpdateCustomer(authorized(t.Context(), bearer), request); err != nil {
		t.Fatal(err)
	}
	_, _ = g.grpc.UpdateCustomer(authorized(t.Context(), "Bearer nobody"), request)
	_, _ = g.grpc.UpdateCustomer(t.Context(), request)
	for range 2 {
		g.send(t, http.MethodPut, "/v1/customers/1", `{}`, http.Header{"Authorization": {bearer}})
	}
	g.send(t, http.MethodPut, "/v1/customers/1", `{}`, nil)
	g.send(t, http.MethodPut, "/v1/nowhere", `{}`, http.Header{"Authorization": {bearer}})
	g.send(t, http.MethodDelete, "/v1/customers/1", "", http.Header{"Authorization": {bearer}})
	g.send(t, http.MethodPut, "/v1/customers/x", `{}`, http.Header{"Authorization": {bearer}})
	g.stopNow(t) // a caller may have its response before the call is counted

	got, _ := gathered(t, g.metrics)
	wanted := map[string]float64{
		"calls_in_flight transport=grpc": 0, "calls_in_flight transport=http": 0,
		"calls_total caller=orders code=OK reason= transport=grpc": 1, "call_duration_seconds code=OK transport=grpc": 1,
		"calls_total caller=orders code=OK reason= transport=http": 2, "call_duration_seconds code=OK transport=http": 2,
		"requests_rejected_total reason=CALLER_UNAUTHENTICATED transport=grpc":                2,
		"requests_rejected_total reason=CALLER_UNAUTHENTICATED transport=http":                1,
		"requests_rejected_total reason=NO_SUCH_PATH transport=http":                          1,
		"requests_rejected_total reason=METHOD_NOT_ALLOWED transport=http":                    1,
		"calls_total caller=orders code=INVALID_ARGUMENT reason=INVALID_FIELD transport=http": 1, "call_duration_seconds code=INVALID_ARGUMENT transport=http": 1,
		"call_phase_seconds phase=own": 4,
	}
	for _, phase := range telemetry.Phases() {
		wanted["call_phase_seconds phase="+phase.String()] = 0
	}
	for _, limit := range apierror.Limits() {
		for _, transport := range []string{"grpc", "http"} {
			wanted[fmt.Sprintf("overload_rejections_total limit=%s transport=%s", limit, transport)] = 0
		}
	}
	for _, reason := range connlimit.Reasons() {
		for _, transport := range []string{"grpc", "http"} {
			wanted[fmt.Sprintf("connections_evicted_total reason=%s transport=%s", reason, transport)] = 0
		}
	}
	if diff := cmp.Diff(wanted, got); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
}

// Label values that callers can choose would let them fill the memory.
func TestCallersCannotCreateSeries(t *testing.T) {
	attacks := 10_000
	if raceEnabled { // each takes much longer
		attacks = 400
	}
	callers, tokens := tokensOf(t, "orders")
	for _, mode := range []struct {
		name    string
		callers auth.Authenticator
		forged  func(number int) string
		let     string // an accepted value of Authorization
	}{
		{"tokens", callers, func(n int) string { return fmt.Sprintf("Bearer fcg_%040d", n) }, "Bearer " + tokens["orders"]},
		{"users of the store", auth.NewStoreUsers(auth.Permissions{}), func(n int) string {
			r := &http.Request{Header: http.Header{}}
			r.SetBasicAuth(fmt.Sprintf("user-%d", n), "password")
			return r.Header.Get("Authorization")
		}, "Basic dXNlcjpwYXNzd29yZA=="},
		{"everybody", auth.Anyone{}, func(n int) string { return fmt.Sprintf("Anything %d", n) }, ""},
	} {
		t.Run(mode.name, func(t *testing.T) {
			g := startMeasured(t, mode.callers)
			attack := func(from, to int) {
				for n := from; n < to; n++ {
					g.attack(t, n, mode.forged(n), mode.let)
				}
			}
			attack(0, 40)
			_, before := gathered(t, g.metrics)
			attack(40, attacks)
			values, after := gathered(t, g.metrics)
			if before != after {
				t.Errorf("%d series have become %d", before, after)
			}
			for key := range values {
				if strings.Contains(key, "user-") || strings.Contains(key, "caller=user") {
					t.Errorf("a user of the store is in a label: %s", key)
				}
			}
		})
	}
}

// attack sends a different value each time in everything that a caller can choose.
func (g *gateway) attack(t *testing.T, number int, forged, let string) {
	t.Helper()
	word := fmt.Sprintf("word%d", number)
	requests := []struct{ method, path, authorization string }{
		{http.MethodPut, "/v1/customers/1", forged},
		{http.MethodPut, "/" + word, let},
		{http.MethodPut, "/v1/customers/1?" + word + "=1", let},
		{word, "/v1/customers/1", let},
	}
	request := requests[number%len(requests)]
	r := httptest.NewRequestWithContext(t.Context(), request.method, request.path, strings.NewReader(`{"`+word+`":1}`))
	r.Header.Set("Authorization", request.authorization)
	r.Header.Set("X-Request-Id", word)
	r.Header.Set("X-"+word, word)
	g.json.ServeHTTP(httptest.NewRecorder(), r)
	if number%20 == 0 { // a connection costs more
		ctx := metadata.AppendToOutgoingContext(authorized(t.Context(), forged), "x-request-id", word, word, word)
		_, _ = g.grpc.UpdateCustomer(ctx, &customerv1.UpdateCustomerRequest{CustomerId: int64(number + 1)})
		_ = g.conn.Invoke(ctx, "/"+word+"/"+word, &customerv1.UpdateCustomerRequest{}, &customerv1.UpdateCustomerResponse{})
	}
}
