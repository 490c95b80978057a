package dashboard

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
	"github.com/fluentcart-gateway/fluentcart-gateway/tools/gatewaytest"
)

// expectedEmpty are expressions without a sample, and the reason.
var expectedEmpty = map[string]string{
	"absent(fluentcart_gateway_build_info)": "the gateways are there",
}

// A real Prometheus reads the metrics of two gateways that have served and failed calls of all kinds. They answer each expression of
// the dashboard and the alerts.
func TestMetricsAnswerEachExpression(t *testing.T) {
	needs(t, "prometheus")
	queries, rules := panelQueries(t), readRules(t)
	plain, full, callers := startGateways(t)
	p := startPrometheus(t, strings.TrimPrefix(plain.Admin, "http://"), strings.TrimPrefix(full.Admin, "http://"))
	failCalls(t, plain, callers)
	keepCalling(t, callers)
	if !waitFor(t, 10*time.Second, func() bool { return len(p.query(t, "fluentcart_gateway_build_info")) == len(callers) }) {
		t.Fatal("Prometheus has not read the metrics of both gateways")
	}
	p.patience = time.Now().Add(10 * time.Second)

	for _, q := range queries {
		where := "panel " + q.panel
		checkWords(t, where, q.expr)
		checkSelectors(t, p, where, q.expr)
		var labels []string
		for _, label := range legendPattern.FindAllStringSubmatch(q.legend, -1) {
			labels = append(labels, label[1])
		}
		p.answer(t, where, q.expr, labels...)
	}
	for _, rule := range rules {
		where := "rule " + rule.Alert + rule.Record
		checkWords(t, where, rule.Expr)
		checkSelectors(t, p, where, rule.Expr)
		for _, part := range withoutThresholds(rule.Expr) {
			p.answer(t, where, part)
		}
	}
	checkHealth(t, p, len(rules))
	for name, gateway := range map[string]gatewaytest.Gateway{"plain": plain, "full": full} {
		lintMetrics(t, name, gateway)
	}
}

// panelQueries returns the expressions of all panels, and of the variables, as Grafana sends them if all jobs and instances are chosen.
func panelQueries(t testing.TB) []query {
	t.Helper()
	chosen := strings.NewReplacer("$job", ".+", "$instance", ".+", "$__rate_interval", "1m")
	d := readDashboard(t)
	var queries []query
	for _, either := range d.Panels {
		if either.Panel == nil {
			continue
		}
		for _, q := range queriesOf(t, either.Panel) {
			queries = append(queries, query{q.panel, chosen.Replace(q.expr), q.legend})
		}
	}
	labelValues := regexp.MustCompile(`^label_values\((.+), (\w+)\)$`)
	for _, variable := range d.Templating.List {
		if variable.Definition == nil {
			continue
		}
		found := labelValues.FindStringSubmatch(chosen.Replace(*variable.Definition))
		if found == nil {
			t.Fatalf("variable %s: %s", variable.Name, *variable.Definition)
		}
		queries = append(queries, query{"variable " + variable.Name, found[1], "{{" + found[2] + "}}"})
	}
	return queries
}

// answer waits until an expression has samples, and among them one with a value for each of the labels. The rate of a gateway appears
// with the second reading of its metrics, so that of one gateway is there before that of the other. All expressions together have the
// time until p.patience.
func (p *prometheusServer) answer(t testing.TB, where, expr string, labels ...string) {
	t.Helper()
	expr = strings.TrimSpace(expr)
	if reason, ok := expectedEmpty[expr]; ok {
		if samples := p.query(t, expr); len(samples) != 0 {
			t.Errorf("%s: %s has samples, although %s", where, expr, reason)
		}
		return
	}
	var samples []sample
	var missing string
	if waitFor(t, time.Until(p.patience), func() bool {
		samples = p.query(t, expr)
		missing = missingLabel(samples, labels)
		return len(samples) != 0 && missing == ""
	}) {
		return
	}
	if len(samples) == 0 {
		t.Errorf("%s: no sample for %s", where, expr)
	} else {
		t.Errorf("%s: no result has the label %s of the legend: %v", where, missing, samples)
	}
}

// missingLabel returns the first of the labels for which no sample has a value.
func missingLabel(samples []sample, labels []string) string {
	for _, label := range labels {
		if !slices.ContainsFunc(samples, func(s sample) bool { return s.Labels[label] != "" }) {
			return label
		}
	}
	return ""
}

// checkSelectors checks that the metrics of an expression exist, and have the labels and values that the expression names.
func checkSelectors(t *testing.T, p *prometheusServer, where, expr string) {
	t.Helper()
	var all []map[string]string
	for _, s := range selectorsOf(expr) {
		series := p.series(t, s.metric)
		if len(series) == 0 {
			t.Errorf("%s: %s does not exist", where, s.metric)
			continue
		}
		all = append(all, series...)
		for _, m := range s.matchers {
			if !hasLabel(series, m.label) {
				t.Errorf("%s: %s has no label %s", where, s.metric, m.label)
			}
			for _, value := range m.values() {
				found := slices.ContainsFunc(series, func(labels map[string]string) bool { return labels[m.label] == value })
				if !found && !slices.Contains(knownValues(t, s.metric, m.label), value) {
					t.Errorf("%s: no series of %s has %s=%q", where, s.metric, m.label, value)
				}
			}
		}
	}
	for _, label := range labelsOf(expr) {
		if !hasLabel(all, label) {
			t.Errorf("%s: nothing has the label %s: %s", where, label, expr)
		}
	}
}

func hasLabel(series []map[string]string, label string) bool {
	return slices.ContainsFunc(series, func(labels map[string]string) bool { _, ok := labels[label]; return ok })
}

// knownValues returns the values that a label can have, of which the calls of the test cause only some.
func knownValues(t testing.TB, metric, label string) []string {
	t.Helper()
	documented := readFile(t, "../../docs/errors.md")
	var values []string
	switch {
	case label == "outcome" && metric == "fluentcart_gateway_store_requests_total":
		for kind := fluentcart.Rejected; !strings.HasPrefix(kind.String(), "Kind("); kind++ {
			values = append(values, strings.ReplaceAll(strings.ToLower(kind.String()), " ", "_"))
		}
	case label == "policy":
		values = append(values, "noeviction") // the Redis of the test has another one
	case label == "code", label == "reason" && strings.HasPrefix(metric, "fluentcart_gateway_call"):
		for _, found := range regexp.MustCompile("`([A-Z_]+)`").FindAllStringSubmatch(documented, -1) {
			values = append(values, found[1])
		}
		values = append(values, "DATA_LOSS") // no reason has it; a library may
	}
	return values
}

// checkHealth checks that Prometheus evaluates all rules.
func checkHealth(t *testing.T, p *prometheusServer, want int) {
	t.Helper()
	var result struct {
		Groups []struct {
			Rules []struct{ Name, Health, LastError string }
		}
	}
	p.get(t, "rules", url.Values{}, &result)
	rules := 0
	for _, group := range result.Groups {
		for _, rule := range group.Rules {
			if rules++; rule.Health != "ok" {
				t.Errorf("rule %s is %s: %s", rule.Name, rule.Health, rule.LastError)
			}
		}
	}
	if rules != want {
		t.Errorf("Prometheus has %d rules, want %d", rules, want)
	}
}

// lintMetrics lets promtool check the names and the help of a gateway's metrics.
func lintMetrics(t *testing.T, name string, gateway gatewaytest.Gateway) {
	t.Helper()
	response, err := http.Get(gateway.Admin + "/metrics") //nolint:noctx // it ends when the gateway does
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	metrics, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	lint := exec.CommandContext(t.Context(), "promtool", "check", "metrics")
	lint.Stdin = bytes.NewReader(metrics)
	if output, err := lint.CombinedOutput(); err != nil || len(output) != 0 {
		t.Errorf("promtool about the metrics of the %s gateway: %v\n%s", name, err, output)
	}
}

// failCalls makes calls to which the sandbox store and the gateways respond in all the ways of which the expressions speak.
func failCalls(t testing.TB, plain gatewaytest.Gateway, callers []client) {
	t.Helper()
	store := client{url: plain.Sandbox, http: http.DefaultClient}
	updateOverGRPC(t, plain.GRPC)
	for _, c := range callers {
		c.update(t, 1, 0)
		c.send(t, http.MethodPatch, "/v1/customers/1", `{"city":"Lyon"}`, 0)
		c.send(t, http.MethodPatch, "/v1/customers/1", `{"city":"Lyon"}`, 0)          // unchanged
		c.send(t, http.MethodPatch, "/v1/customers/1", `{"notes":"a <b>b</b> c"}`, 0) // a warning
		c.send(t, http.MethodPatch, "/v1/customers/1", `{"city":"<b>Lyon</b>"}`, 0)   // rejected
		c.send(t, http.MethodPatch, "/v1/customers/1", `{"email":"ann"}`, 0)          // not sent
		c.send(t, http.MethodGet, "/nowhere", "", 0)                                  // no call
		for _, fault := range []string{
			`{"fault":"connection_reset","on":"read","count":2}`, // a kept connection is replaced, and then the read is retried
			`{"fault":"fatal_error_after_write","count":1}`,
			`{"fault":"route_missing","count":1}`,
			`{"fault":"firewall","count":1}`,
		} {
			store.send(t, http.MethodPost, "/sandbox/faults", fault, 0)
			c.update(t, 1, 0)
		}
	}
	store.send(t, http.MethodPost, "/sandbox/faults", `{"fault":"hang","on":"write","count":1}`, 0)
	callers[0].update(t, 4, 0) // in doubt for the settle time, and unknown then
	store.send(t, http.MethodPost, "/sandbox/reset", "", 0)

	store.send(t, http.MethodPost, "/sandbox/faults", `{"fault":"slow","delay":"200ms"}`, 0)
	var calls sync.WaitGroup
	for range 20 { // more than the slots and the queue of the first gateway hold
		calls.Go(func() { callers[0].update(t, 1, 0) })
	}
	calls.Wait()
	store.send(t, http.MethodPost, "/sandbox/reset", "", 0)

	store.send(t, http.MethodPost, "/sandbox/faults", `{"fault":"credentials_refused","count":2}`, 0) // the second time with the file's password
	callers[1].read(t, 2)
	store.send(t, http.MethodPost, "/sandbox/reset", "", 0)
}

// keepCalling makes calls, of which a part fails, until the test ends.
func keepCalling(t testing.TB, callers []client) {
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	var running sync.WaitGroup
	t.Cleanup(func() { stop(); running.Wait() })
	for i, c := range callers {
		running.Go(func() {
			pause := time.NewTicker(50 * time.Millisecond)
			defer pause.Stop()
			for ctx.Err() == nil {
				c.update(t, 1+i, 0)
				c.send(t, http.MethodGet, fmt.Sprintf("/v1/customers/%d", 99), "", 0)
				<-pause.C
			}
		})
	}
}
