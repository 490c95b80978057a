package dashboard

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"
)

const (
	rulesDirectory = "../../deploy/prometheus"
	alertsPage     = "../../docs/alerts.md"
	runbooks       = "https://github.com/fluentcart-gateway/fluentcart-gateway/blob/main/docs/alerts.md#"
)

// rule is an alert, or an expression that is recorded under a name.
type rule struct {
	Alert       string
	Record      string
	Expr        string
	Labels      map[string]string
	Annotations map[string]string
}

// readRules returns the rules of deploy/.
func readRules(t testing.TB) []rule {
	t.Helper()
	var file struct{ Groups []struct{ Rules []rule } }
	readYAML(t, filepath.Join(rulesDirectory, "alerts.yaml"), &file)
	var rules []rule
	for _, group := range file.Groups {
		rules = append(rules, group.Rules...)
	}
	if len(rules) == 0 {
		t.Fatal("there are no rules")
	}
	return rules
}

func readYAML(t testing.TB, path string, into any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(readFile(t, path)), into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func readFile(t testing.TB, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// Each alert has a paragraph in the documentation, to which its runbook_url leads, and each paragraph is about an alert.
func TestAlertsAreDocumented(t *testing.T) {
	alerts := map[string]bool{}
	for _, rule := range readRules(t) {
		if rule.Alert == "" {
			continue
		}
		alerts[rule.Alert] = true
		if severity := rule.Labels["severity"]; severity != "page" && severity != "ticket" {
			t.Errorf("%s: severity %q", rule.Alert, severity)
		}
		if rule.Annotations["summary"] == "" || rule.Annotations["description"] == "" {
			t.Errorf("%s needs a summary and a description", rule.Alert)
		}
		if url := rule.Annotations["runbook_url"]; url != runbooks+strings.ToLower(rule.Alert) {
			t.Errorf("%s: runbook_url is %q", rule.Alert, url)
		}
	}
	documented := map[string]bool{}
	for _, heading := range regexp.MustCompile(`(?m)^## (\w+)$`).FindAllStringSubmatch(readFile(t, alertsPage), -1) {
		documented[heading[1]] = true
	}
	if diff := cmp.Diff(alerts, documented); diff != "" {
		t.Errorf("alerts with a heading in docs/alerts.md (-want +got):\n%s", diff)
	}
}

// The tests of promtool have, for each alert and severity, series on which it fires, and for each alert series on which it does not.
func TestAlertsAreTestedBothWays(t *testing.T) {
	var file struct {
		Tests []struct {
			Name  string
			Cases []struct {
				Alert    string `yaml:"alertname"`
				Expected []struct {
					Labels map[string]string `yaml:"exp_labels"`
				} `yaml:"exp_alerts"`
			} `yaml:"alert_rule_test"`
		}
	}
	readYAML(t, filepath.Join(rulesDirectory, "alerts_test.yaml"), &file)
	fires, silent := map[string]bool{}, map[string]bool{}
	for _, test := range file.Tests {
		fired, quiet := map[string]bool{}, map[string]bool{}
		for _, one := range test.Cases {
			quiet[one.Alert] = true
			for _, alert := range one.Expected {
				fired[one.Alert], fires[one.Alert+" "+alert.Labels["severity"]] = true, true
			}
		}
		for alert := range quiet {
			if !fired[alert] { // in no case of this test
				silent[alert] = true
			}
		}
	}
	wantFires, wantSilent := map[string]bool{}, map[string]bool{}
	for _, rule := range readRules(t) {
		if rule.Alert != "" {
			wantFires[rule.Alert+" "+rule.Labels["severity"]], wantSilent[rule.Alert] = true, true
		}
	}
	if diff := cmp.Diff(sorted(wantFires), sorted(fires)); diff != "" {
		t.Errorf("alerts that fire in a test (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(sorted(wantSilent), sorted(silent)); diff != "" {
		t.Errorf("alerts that stay silent in a test (-want +got):\n%s", diff)
	}
}

func sorted(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }
