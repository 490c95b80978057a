package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
	"time"
)

// table prints the results of a run.
func table(out io.Writer, results []result, took time.Duration) {
	counts := map[string]int{}
	latencies := make([]time.Duration, len(results))
	for i, r := range results {
		counts[r.outcome]++
		latencies[i] = r.took
	}
	slices.Sort(latencies)

	rows := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	defer rows.Flush() //nolint:errcheck // if stdout is closed, the error cannot be printed either
	fmt.Fprintf(rows, "\ncalls\t%d\n", len(results))
	fmt.Fprintf(rows, "seconds\t%.1f\n", took.Seconds())
	fmt.Fprintf(rows, "calls a second\t%.1f\n", float64(len(results))/took.Seconds())
	outcomes := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	for _, outcome := range outcomes {
		fmt.Fprintf(rows, "%s\t%d\n", outcome, counts[outcome])
	}
	if len(latencies) == 0 {
		return
	}
	fmt.Fprintln(rows, "latency, with the start of a grpcurl process\t")
	for _, p := range []struct {
		name    string
		percent int
	}{{"min", 0}, {"p50", 50}, {"p90", 90}, {"p95", 95}, {"p99", 99}, {"max", 100}} {
		fmt.Fprintf(rows, "  %s\t%s\n", p.name, percentile(latencies, p.percent).Round(time.Millisecond))
	}
}

// percentile returns the smallest of the sorted values that at least percent of them do not exceed.
func percentile(sorted []time.Duration, percent int) time.Duration {
	rank := (len(sorted)*percent + 99) / 100
	return sorted[max(rank, 1)-1]
}
