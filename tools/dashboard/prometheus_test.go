package dashboard

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/tools/gatewaytest"
)

// prometheusServer is a Prometheus server in a process of its own.
type prometheusServer struct {
	url      string
	patience time.Time // until then, an expression without samples may get some
}

// sample is a series of a result, with its value.
type sample struct {
	Labels map[string]string `json:"metric"`
	Value  [2]any            `json:"value"` // time, and the value as a text
}

// startPrometheus runs a Prometheus until the test ends. Twice a second it reads the metrics of the targets, which are
// addresses, and evaluates the rules of deploy/.
func startPrometheus(t testing.TB, targets ...string) *prometheusServer {
	t.Helper()
	needs(t, "prometheus")
	directory, address := t.TempDir(), gatewaytest.FreeAddress(t)
	rules := regexp.MustCompile(`interval: \d+s`).ReplaceAllString(readFile(t, filepath.Join(rulesDirectory, "alerts.yaml")), "interval: 500ms")
	writeFile(t, filepath.Join(directory, "alerts.yaml"), rules)
	config := filepath.Join(directory, "prometheus.yml")
	writeFile(t, config, fmt.Sprintf(`
global: {scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 500ms}
rule_files: [alerts.yaml]
scrape_configs:
  - job_name: fluentcart-gateway
    static_configs: [{targets: ["%s"]}]
`, strings.Join(targets, `", "`)))
	command := exec.Command("prometheus", "--config.file="+config, "--storage.tsdb.path="+filepath.Join(directory, "data"), //nolint:noctx // the clean-up ends it
		"--web.listen-address="+address, "--log.level=warn")
	log, err := os.Create(filepath.Join(directory, "log"))
	if err != nil {
		t.Fatal(err)
	}
	command.Stderr = log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait() // its status is that of the signal
		_ = log.Close()
	})
	p := &prometheusServer{url: "http://" + address}
	if !waitFor(t, 20*time.Second, func() bool {
		response, err := http.Get(p.url + "/-/ready") //nolint:noctx // it ends when the server does
		if err != nil {
			return false
		}
		_ = response.Body.Close()
		return response.StatusCode == http.StatusOK
	}) {
		t.Fatalf("Prometheus does not start: %s", readFile(t, log.Name()))
	}
	return p
}

// get sends a request to the API, and decodes what it returns. Errors and warnings fail the test.
func (p *prometheusServer) get(t testing.TB, path string, parameters url.Values, into any) {
	t.Helper()
	response, err := http.Get(p.url + "/api/v1/" + path + "?" + parameters.Encode()) //nolint:noctx // it ends when the server does
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	answer := struct {
		Status, Error   string
		Warnings, Infos []string
		Data            any
	}{Data: into}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	if answer.Status != "success" || len(answer.Warnings)+len(answer.Infos) != 0 {
		t.Fatalf("%s %s: %s %s %v %v", path, parameters, answer.Status, answer.Error, answer.Warnings, answer.Infos)
	}
}

// query returns the samples of an expression that are numbers: 0/0 says nothing.
func (p *prometheusServer) query(t testing.TB, expr string) []sample {
	t.Helper()
	var result struct {
		Type   string `json:"resultType"`
		Result []sample
	}
	p.get(t, "query", url.Values{"query": {expr}}, &result)
	if result.Type != "vector" {
		t.Errorf("the result is a %s: %s", result.Type, expr)
	}
	var numbers []sample
	for _, s := range result.Result {
		if s.Value[1] != "NaN" {
			numbers = append(numbers, s)
		}
	}
	return numbers
}

// series returns the labels of all series of a metric.
func (p *prometheusServer) series(t testing.TB, metric string) []map[string]string {
	t.Helper()
	var series []map[string]string
	p.get(t, "series", url.Values{"match[]": {metric}}, &series)
	return series
}

// needs skips a test whose program is missing. In CI the test fails.
func needs(t testing.TB, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is missing", program)
		}
		t.Skipf("%s is missing", program)
	}
}

// waitFor waits until a condition is true.
func waitFor(t testing.TB, within time.Duration, condition func() bool) bool {
	t.Helper()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for end := time.Now().Add(within); !condition(); <-again.C {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}

func writeFile(t testing.TB, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
