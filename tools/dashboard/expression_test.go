package dashboard

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// selector is a metric in an expression, with its matchers.
type selector struct {
	text     string
	metric   string
	matchers []matcher
}

type matcher struct{ label, op, value string }

var (
	selectorPattern = regexp.MustCompile(`\b(fluentcart_gateway_\w+|process_\w+|go_\w+|\w+:\w+:\w+|up)\b(?:{([^}]*)})?`)
	matcherPattern  = regexp.MustCompile(`(\w+)(=~|!~|!=|=)"([^"]*)"`)
	labelsPattern   = regexp.MustCompile(`\b(?:by|on|group_left) \(([^)]*)\)`)
	legendPattern   = regexp.MustCompile(`{{(\w+)}}`)
)

// words are those of PromQL that the expressions use. Any other word would be a metric whose name is wrong.
var words = []string{
	"sum", "max", "min", "count", "rate", "increase", "changes", "absent", "histogram_quantile", "last_over_time", "max_over_time", "time", "vector",
	"and", "or", "unless", "offset",
}

// selectorsOf returns the selectors of an expression.
func selectorsOf(expr string) []selector {
	var selectors []selector
	for _, found := range selectorPattern.FindAllStringSubmatch(expr, -1) {
		s := selector{text: found[0], metric: found[1]}
		for _, m := range matcherPattern.FindAllStringSubmatch(found[2], -1) {
			s.matchers = append(s.matchers, matcher{m[1], m[2], m[3]})
		}
		selectors = append(selectors, s)
	}
	return selectors
}

// labelsOf returns the labels that an expression groups by, or joins on.
func labelsOf(expr string) []string {
	var labels []string
	for _, found := range labelsPattern.FindAllStringSubmatch(expr, -1) {
		for label := range strings.SplitSeq(found[1], ",") {
			if label = strings.TrimSpace(label); label != "" {
				labels = append(labels, label)
			}
		}
	}
	return labels
}

// checkWords checks that an expression consists of selectors, groupings, numbers and known words.
func checkWords(t *testing.T, where, expr string) {
	t.Helper()
	rest := labelsPattern.ReplaceAllString(selectorPattern.ReplaceAllString(expr, ""), "")
	rest = regexp.MustCompile(`\[[^\]]*\]|offset \d+[smhd]`).ReplaceAllString(rest, "")
	for _, word := range regexp.MustCompile(`[A-Za-z_]\w*`).FindAllString(rest, -1) {
		if !slices.Contains(words, word) {
			t.Errorf("%s: %q is neither a metric of the gateway nor a function: %s", where, word, expr)
		}
	}
}

// values returns the values that a matcher names, if it lists them.
func (m matcher) values() []string {
	list := strings.Split(m.value, "|")
	if strings.ContainsAny(m.value, `.+*[](){}$\`) || m.value == "" {
		return nil
	}
	return list
}

// withoutThresholds returns the parts of an alert's expression, without the comparisons of which some are false as long as all
// is well. The part behind `unless on (…)` is one of its own, since both parts together would be empty.
func withoutThresholds(expr string) []string {
	comparison := regexp.MustCompile(`\s(?:>|<|>=|<=|==) \d[\d.]*(?: \* \d+)?`)
	return regexp.MustCompile(`unless on \([^)]*\)`).Split(comparison.ReplaceAllString(expr, ""), -1)
}
