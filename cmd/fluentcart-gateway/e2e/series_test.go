package e2e

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

const metricPrefix = "fluentcart_gateway_"

// series is a line of /metrics. The family of a histogram's series has no suffix.
type series struct {
	family, name string
	labels       map[string]string
	value        float64
}

var seriesLine = regexp.MustCompile(`^(\w+)(?:{(.*)})? (\S+)$`)

// metrics returns all series of /metrics.
func (p *process) metrics(t testing.TB) []series {
	t.Helper()
	_, text := p.admin(t, "/metrics")
	var all []series
	var family string
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if kind, ok := strings.CutPrefix(line, "# TYPE "); ok {
			family, _, _ = strings.Cut(kind, " ")
		}
		if strings.HasPrefix(line, "#") {
			continue
		}
		parts := seriesLine.FindStringSubmatch(line)
		if parts == nil {
			t.Fatalf("not a line of /metrics: %s", line)
		}
		value, err := strconv.ParseFloat(parts[3], 64)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, series{family, parts[1], labelsOf(parts[2]), value})
	}
	return all
}

// labelsOf returns the labels in a text such as `method="GET",outcome="ok"`.
func labelsOf(text string) map[string]string {
	labels := map[string]string{}
	for _, label := range labelText.FindAllStringSubmatch(text, -1) {
		labels[label[1]] = label[2]
	}
	return labels
}

// has reports whether a series has these labels, and maybe others.
func (s series) has(labels map[string]string) bool {
	for name, value := range labels {
		if s.labels[name] != value {
			return false
		}
	}
	return true
}

// seriesOf returns the series of a metric as text.
func seriesOf(all []series, name string) string {
	var text strings.Builder
	for _, one := range all {
		if one.name == metricPrefix+name {
			fmt.Fprintf(&text, "%s %v %v\n", name, one.labels, one.value)
		}
	}
	return text.String()
}
