package main

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
)

// table returns the results as Markdown. CPU times are ratios to the bare handler's of the same round.
func (m *measurements) table() string {
	var out strings.Builder
	fmt.Fprintf(&out, "Measured with %s on %d cores of %s/%s.\n\n", runtime.Version(), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH)
	out.WriteString("| program | CPU time per call | lowest and highest of the rounds | aim |\n|---|---|---|---|\n")
	for i, s := range m.subjects {
		aim := ""
		if s.most > 0 {
			aim = fmt.Sprintf("%.2f", s.most)
		}
		ratios := m.ratios(i)
		fmt.Fprintf(&out, "| %s | %.2f | %.2f to %.2f | %s |\n", s.name, median(ratios), slices.Min(ratios), slices.Max(ratios), aim)
	}
	fmt.Fprintf(&out, "\nMetrics, and traces of 1 %% of the calls, take %.1f %% of the gateway's CPU time (%d samples of a profile); the aim is at most %.0f %%.\n",
		100*m.observed.share, m.observed.samples, 100*mostObserved)
	if m.byInFlight == nil {
		return out.String()
	}
	out.WriteString("\n| throughput of the gRPC server | ratio |\n|---|---|\n")
	for _, calls := range []int{100, 1000} {
		fmt.Fprintf(&out, "| %d calls in flight, to 16 | %.2f |\n", calls, m.byInFlight[calls]/m.byInFlight[16])
	}
	fmt.Fprintf(&out, "| GOMAXPROCS 2, to 1 | %.2f |\n", m.byProcessors[2]/m.byProcessors[1])
	fmt.Fprintf(&out, "\nOne update at a time, against a store of 33 ms a request, takes %.3f of the time of a GET and a PUT without a gateway; in atomic mode %.3f.\n",
		m.wallTime[modeMerge], m.wallTime[modeAtomic])
	out.WriteString("\n| 1,000 calls in flight | peak resident memory |\n|---|---|\n")
	for _, transport := range []string{"gRPC", "JSON"} {
		fmt.Fprintf(&out, "| over %s | %.0f MiB |\n", transport, m.memory[transport])
	}
	return out.String()
}

// The lines of the page between which the table stands.
const tableBegin, tableEnd = "<!-- make bench: begin -->\n", "<!-- make bench: end -->\n"

// replaceTable replaces the table in a page.
func replaceTable(page, table string) error {
	content, err := os.ReadFile(page) //nolint:gosec // the page that the command line names
	if err != nil {
		return err
	}
	before, rest, begins := bytes.Cut(content, []byte(tableBegin))
	_, after, ends := bytes.Cut(rest, []byte(tableEnd))
	if !begins || !ends {
		return fmt.Errorf("%s has no lines %q and %q, between which the table belongs", page, strings.TrimSpace(tableBegin), strings.TrimSpace(tableEnd))
	}
	content = slices.Concat(before, []byte(tableBegin+"\n"+table+"\n"+tableEnd), after)
	return os.WriteFile(page, content, 0o644) //nolint:gosec // a page of the documentation
}
