package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const operationsPage = "../../../docs/operations.md"

// failure is a row of the table of failures in docs/operations.md.
type failure struct {
	name      string // in bold letters
	metrics   []expectedMetric
	lines     []expectedLine
	readiness string // what /readyz says
}

// expectedMetric is a metric and what becomes of it: "rises", or its value. Of several series that have the labels, the sum
// counts.
type expectedMetric struct {
	text, name string
	labels     map[string]string
	becomes    string
}

// expectedLine is a line of the log. A value is a part of what the line has under the key; an empty one is any.
type expectedLine struct {
	text, level, message string
	values               map[string]string
}

// Each row of the table is provoked, and what the row says is seen: the metrics, the lines of the log, and the readiness. All
// gateways together have each metric that the page documents, with its labels, and no other.
func TestFailuresShowAsTheTableSays(t *testing.T) {
	t.Parallel()
	rows := documentedFailures(t)
	provoked, documented := slices.Sorted(maps.Keys(provocations)), []string{}
	for _, row := range rows {
		documented = append(documented, row.name)
	}
	slices.Sort(documented)
	if diff := cmp.Diff(provoked, documented); diff != "" {
		t.Fatalf("rows of the table (-provoked +documented):\n%s", diff)
	}
	var shown shownMetrics
	complete := t.Run("rows", func(t *testing.T) {
		for _, row := range rows {
			t.Run(row.name, func(t *testing.T) {
				t.Parallel()
				gateway, happen := provocations[row.name](t)
				row.isSeen(t, gateway, happen)
				shown.add(t, gateway)
			})
		}
	})
	if !complete || shown.gateways < len(rows) { // a row has failed, was skipped, or was not chosen
		return
	}
	if diff := cmp.Diff(shown.labels, documentedMetrics(t)); diff != "" {
		t.Errorf("metrics and their labels (-shown by /metrics +documented):\n%s", diff)
	}
}

// isSeen lets the failure happen, and waits until everything that the row says has been seen.
func (f failure) isSeen(t *testing.T, gateway *process, happen func()) {
	var before []series
	var logged int // bytes
	if happen != nil {
		before, logged = gateway.metrics(t), len(gateway.log.String())
		happen()
	}
	unseenMetrics, unseenLines := slices.Clone(f.metrics), slices.Clone(f.lines)
	var status int
	var said string
	if waitFor(t, 30*time.Second, func() bool {
		now, log := gateway.metrics(t), logLines(gateway.log.String()[logged:])
		unseenMetrics = slices.DeleteFunc(unseenMetrics, func(m expectedMetric) bool { return m.isIn(now, before) })
		unseenLines = slices.DeleteFunc(unseenLines, func(l expectedLine) bool { return slices.ContainsFunc(log, l.is) })
		status, said = gateway.admin(t, "/readyz")
		return len(unseenMetrics) == 0 && len(unseenLines) == 0 && f.saysSo(status, said)
	}) {
		if f.readiness == "ready" && strings.Contains(gateway.log.String()[logged:], `"msg":"not ready"`) {
			t.Errorf("it was not ready meanwhile:\n%s", gateway.log)
		}
		return
	}
	for _, metric := range unseenMetrics {
		t.Errorf("%s is not seen; the gateway has:\n%s", metric.text, seriesOf(gateway.metrics(t), metric.name))
	}
	for _, line := range unseenLines {
		t.Errorf("the log does not have %s:\n%s", line.text, gateway.log)
	}
	if !f.saysSo(status, said) {
		t.Errorf("/readyz says %d %q, and not %q", status, said, f.readiness)
	}
}

func (f failure) saysSo(status int, said string) bool {
	if f.readiness == "ready" {
		return status == http.StatusOK
	}
	return status == http.StatusServiceUnavailable && slices.Contains(strings.Split(said, "\n"), f.readiness)
}

func (m expectedMetric) isIn(now, before []series) bool {
	value, found := m.of(now)
	if m.becomes == "rises" {
		earlier, _ := m.of(before)
		return value > earlier
	}
	return found && strconv.FormatFloat(value, 'f', -1, 64) == m.becomes
}

func (m expectedMetric) of(all []series) (sum float64, found bool) {
	for _, one := range all {
		if one.name == metricPrefix+m.name && one.has(m.labels) {
			sum, found = sum+one.value, true
		}
	}
	return sum, found
}

func (l expectedLine) is(line map[string]any) bool {
	if line["level"] != l.level || line["msg"] != l.message {
		return false
	}
	for key, part := range l.values {
		value, ok := line[key]
		if !ok || !strings.Contains(fmt.Sprint(value), part) {
			return false
		}
	}
	return true
}

// logLines returns the lines of a log. The last one may be incomplete.
func logLines(log string) []map[string]any {
	var lines []map[string]any
	for text := range strings.Lines(log) {
		var line map[string]any
		if json.Unmarshal([]byte(text), &line) == nil {
			lines = append(lines, line)
		}
	}
	return lines
}

var (
	metricCell = regexp.MustCompile("`([a-z_]+)(?:{([^}]*)})?` (rises|\\d+)")
	lineCell   = regexp.MustCompile("(INFO|WARN|ERROR) ((?:`[^`]+`(?:, )?)+)")
	labelText  = regexp.MustCompile(`(\w+)="((?:[^"\\]|\\.)*)"`)
	quoted     = regexp.MustCompile("`([^`]+)`")
)

// documentedFailures reads the table. A cell that is not in its form fails the test, because it would not be compared.
func documentedFailures(t *testing.T) []failure {
	t.Helper()
	var rows []failure
	for _, cells := range tableRows(section(t, "When something fails")) {
		name, ok := strings.CutPrefix(cells[0], "**")
		if !ok {
			continue // the head of a table
		}
		if len(cells) != 6 {
			t.Fatalf("%d cells: %q", len(cells), cells)
		}
		row := failure{readiness: strings.Trim(cells[3], "`")}
		row.name, _, _ = strings.Cut(name, ".**")
		for _, found := range metricCell.FindAllStringSubmatch(cells[1], -1) {
			row.metrics = append(row.metrics, expectedMetric{found[0], found[1], labelsOf(found[2]), found[3]})
		}
		if outcome := quoted.FindStringSubmatch(cells[0]); outcome != nil && !strings.Contains(cells[1], outcome[1]) {
			row.metrics = append(row.metrics, outcomeMetric(outcome[1]))
		}
		for _, found := range lineCell.FindAllStringSubmatch(cells[2], -1) {
			line := expectedLine{text: found[0], level: found[1], values: map[string]string{}}
			for i, part := range quoted.FindAllStringSubmatch(found[2], -1) {
				if i == 0 {
					line.message = part[1]
					continue
				}
				key, value, _ := strings.Cut(part[1], "=")
				line.values[key] = value
			}
			row.lines = append(row.lines, line)
		}
		rest := strings.Trim(metricCell.ReplaceAllString(cells[1], "")+lineCell.ReplaceAllString(cells[2], ""), "; ")
		if rest != "" || len(row.metrics) == 0 || len(row.lines) == 0 || cells[4] == "" || cells[5] == "" {
			t.Errorf("%s: a cell is empty, or not in the form that the test reads: %q", row.name, rest)
		}
		rows = append(rows, row)
	}
	return rows
}

// outcomeMetric is the metric that shows what callers see: OK, or a reason.
func outcomeMetric(outcome string) expectedMetric {
	label := "reason"
	if outcome == "OK" {
		label = "code"
	}
	return expectedMetric{"calls with " + outcome, "calls_total", map[string]string{label: outcome}, "rises"}
}

// documentedMetrics reads the table of metrics: the labels of each.
func documentedMetrics(t *testing.T) map[string][]string {
	t.Helper()
	metrics := map[string][]string{}
	for _, cells := range tableRows(section(t, "Metrics")) {
		for _, name := range quoted.FindAllStringSubmatch(cells[0], -1) {
			if strings.HasSuffix(name[1], "…") {
				continue // the head of the table
			}
			labels := strings.Fields(strings.Trim(cells[1], "`"))
			slices.Sort(labels)
			metrics[name[1]] = labels
		}
	}
	return metrics
}

// section returns the part of the page below a heading.
func section(t *testing.T, heading string) string {
	t.Helper()
	page, err := os.ReadFile(operationsPage)
	if err != nil {
		t.Fatal(err)
	}
	_, text, found := strings.Cut(string(page), "# "+heading+"\n")
	if !found {
		t.Fatalf("%s has no section %q", operationsPage, heading)
	}
	text, _, _ = strings.Cut(text, "\n## ")
	return text
}

// tableRows returns the cells of all tables in a text.
func tableRows(text string) [][]string {
	var rows [][]string
	for line := range strings.Lines(text) {
		inner, ok := strings.CutPrefix(strings.TrimSpace(line), "|")
		if !ok {
			continue
		}
		var cells []string
		for cell := range strings.SplitSeq(strings.TrimSuffix(inner, "|"), "|") {
			cells = append(cells, strings.TrimSpace(cell))
		}
		rows = append(rows, cells)
	}
	return rows
}

// shownMetrics are the metrics of several gateways.
type shownMetrics struct {
	mu       sync.Mutex
	gateways int
	labels   map[string][]string // by metric, without the prefix
}

func (s *shownMetrics) add(t *testing.T, gateway *process) {
	all := gateway.metrics(t)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gateways++
	if s.labels == nil {
		s.labels = map[string][]string{}
	}
	for _, one := range all {
		name, own := strings.CutPrefix(one.family, metricPrefix)
		if !own {
			continue
		}
		labels := s.labels[name]
		for label := range one.labels {
			if label != "le" && !slices.Contains(labels, label) {
				labels = append(labels, label)
			}
		}
		slices.Sort(labels)
		s.labels[name] = append([]string{}, labels...)
	}
}
