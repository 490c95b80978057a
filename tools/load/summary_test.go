package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestPercentile(t *testing.T) {
	hundred := make([]time.Duration, 100)
	for i := range hundred {
		hundred[i] = time.Duration(i + 1)
	}
	for _, row := range []struct {
		sorted  []time.Duration
		percent int
		want    time.Duration
	}{
		{hundred, 0, 1},
		{hundred, 50, 50},
		{hundred, 99, 99},
		{hundred, 100, 100},
		{[]time.Duration{7}, 50, 7},
		{[]time.Duration{1, 2, 3}, 50, 2},
		{[]time.Duration{1, 2, 3}, 90, 3},
	} {
		if got := percentile(row.sorted, row.percent); got != row.want {
			t.Errorf("p%d of %d values is %d, want %d", row.percent, len(row.sorted), got, row.want)
		}
	}
}

// overloadedRun is three calls in two seconds, one of which was rejected. Of the calls that were due, one was not sent.
func overloadedRun() (config, *results) {
	rejected := outcome{"RESOURCE_EXHAUSTED", "OVERLOADED", "not_sent"}
	r := newResults(nil)
	r.begin(time.Unix(0, 0))
	r.add(result{1, outcome{Code: "OK"}, 20 * time.Millisecond, 0}, "")
	r.add(result{2, outcome{Code: "OK"}, 40 * time.Millisecond, 30 * time.Millisecond}, "")
	r.add(result{3, rejected, time.Millisecond, 0}, "the queue is full")
	r.end(time.Unix(2, 0), 4)
	return config{mode: modeGRPC, plan: plan{rate: 2}}, r
}

func TestTablesShowRateOutcomesLatenciesAndTheStore(t *testing.T) {
	cfg, r := overloadedRun()
	s := summarize(cfg, r)
	s.Store = newStoreSummary(requests{"GET": 7, "PUT": 7}.since(requests{"GET": 5, "PUT": 5}), 2)
	words := strings.Join(strings.Fields(s.table()), " ")
	for _, part := range []string{
		"3 calls in 2.0 s: 2 a second, 1 of them OK",
		"4 were due at 2 a second; no worker was free in time for 1 that began late, by up to 30 ms, and for 1 that were not sent",
		"code reason write state calls p50 ms p90 ms p99 ms max ms",
		"OK 2 20.0 40.0 40.0 40.0",
		"RESOURCE_EXHAUSTED OVERLOADED not_sent 1 1.0 1.0 1.0 1.0",
		"all 3 20.0 40.0 40.0 40.0",
		"RESOURCE_EXHAUSTED OVERLOADED not_sent: the queue is full",
		"The store got 2 GET and 2 PUT (counted by the metrics of the gateway, which include other callers): 2.00 requests for each OK.",
	} {
		if !strings.Contains(words, part) {
			t.Errorf("no %q in:\n%s", part, s.table())
		}
	}
	if err := s.failures(); err == nil || !strings.Contains(err.Error(), "1 × RESOURCE_EXHAUSTED OVERLOADED not_sent") {
		t.Errorf("failures: %v", err)
	}
	cfg.allow = []string{"OVERLOADED"}
	if err := summarize(cfg, r).failures(); err != nil {
		t.Errorf("with -allow: %v", err)
	}
}

func TestStoreThatIsNotCountedIsSaidToBeUnknown(t *testing.T) {
	cfg, r := overloadedRun()
	s := summarize(cfg, r)
	if !strings.Contains(s.table(), "What reached the store is not known; -admin takes") {
		t.Error(s.table())
	}
}

func TestRunWithoutCallsIsPrinted(t *testing.T) {
	r := newResults(nil)
	r.begin(time.Unix(0, 0))
	r.end(time.Unix(0, 0), 0)
	var out strings.Builder
	s := summarize(config{}, r)
	s.Store = newStoreSummary(requests{}, 0)
	for _, asJSON := range []bool{false, true} {
		if err := s.print(&out, asJSON, nil); err != nil {
			t.Error(err)
		}
	}
	if !strings.Contains(out.String(), "0 calls in 0.0 s: 0 a second") || !strings.Contains(out.String(), "The store got nothing") {
		t.Error(out.String())
	}
}

func TestJSONHasWhatTheTablesHave(t *testing.T) {
	cfg, r := overloadedRun()
	s := summarize(cfg, r)
	s.Store = newStoreSummary(requests{"GET": 2, "PUT": 2}, 2)
	var out strings.Builder
	if err := s.print(&out, true, s.failures()); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Calls    int
		OpenLoop struct {
			NotSent int `json:"not_sent"`
		} `json:"open_loop"`
		Outcomes []struct {
			Code, Reason string
			WriteState   string `json:"write_state"`
			Calls        int
			Latency      map[string]float64
		}
		Store struct{ Requests map[string]int }
		Fault string
	}
	if err := json.Unmarshal([]byte(out.String()), &got); err != nil {
		t.Fatal(err)
	}
	if got.Calls != 3 || got.OpenLoop.NotSent != 1 || len(got.Outcomes) != 2 || got.Outcomes[1].Reason != "OVERLOADED" || got.Outcomes[1].WriteState != "not_sent" ||
		got.Outcomes[0].Latency["p50_ms"] != 20 || got.Store.Requests["PUT"] != 2 || !strings.Contains(got.Fault, "OVERLOADED") {
		t.Errorf("%+v\n%s", got, out.String())
	}
}
