package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// print prints the summary as tables or as JSON. The fault is why the run has failed; the tables leave it to the caller.
func (s *summary) print(out io.Writer, asJSON bool, fault error) error {
	if asJSON {
		if fault != nil {
			s.Fault = fault.Error()
		}
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(s)
	}
	_, err := io.WriteString(out, s.table())
	return err
}

func (s *summary) table() string {
	var out strings.Builder
	fmt.Fprintf(&out, "\n%d calls in %.1f s: %.0f a second, %.0f of them OK\n", s.Calls, s.Seconds, s.Rate, s.OKRate)
	if o := s.OpenLoop; o != nil {
		fmt.Fprintf(&out, "%d were due at %g a second", o.Due, o.Rate)
		if o.Late > 0 || o.NotSent > 0 {
			fmt.Fprintf(&out, "; no worker was free in time for %d that began late, by up to %.0f ms, and for %d that were not sent", o.Late, o.MaxLate, o.NotSent)
		}
		fmt.Fprintln(&out)
	}
	if s.Calls > 0 {
		fmt.Fprintf(&out, "\n%s", s.outcomes())
	}
	fmt.Fprintf(&out, "\n%s\n", s.Store)
	return out.String()
}

// outcomes is the table of outcomes with their latencies, and the first message of each.
func (s *summary) outcomes() string {
	var out strings.Builder
	rows := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	row := func(o outcome, calls int, l latency) {
		fmt.Fprintf(rows, "%s\t%s\t%s\t%d\t%.1f\t%.1f\t%.1f\t%.1f\n", o.Code, o.Reason, o.WriteState, calls, l.P50, l.P90, l.P99, l.Max)
	}
	fmt.Fprintln(rows, "code\treason\twrite state\tcalls\tp50 ms\tp90 ms\tp99 ms\tmax ms")
	for _, o := range s.Outcomes {
		row(o.outcome, o.Calls, o.Latency)
	}
	if len(s.Outcomes) > 1 {
		row(outcome{Code: "all"}, s.Calls, *s.Latency)
	}
	_ = rows.Flush() // a strings.Builder does not fail
	for _, o := range s.Outcomes {
		if o.Message != "" {
			fmt.Fprintf(&out, "%v: %s\n", o.outcome, o.Message)
		}
	}
	return out.String()
}
