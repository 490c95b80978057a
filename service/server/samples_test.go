package server_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The samples of FluentCart's documentation work against the HTTP/JSON gateway when only the host is changed. The PHP one
// sets a body and no method, so curl makes it a POST. testdata/samples holds them as they are documented; the code around
// them here makes them programs that print the response.
func TestDocumentedSamplesWork(t *testing.T) {
	samples := []struct {
		file    string
		probe   []string // succeeds where the sample can be run
		command []string
		before  string
		after   string
	}{
		{"curl.sh", []string{"curl", "--version"}, []string{"sh", "-c"}, "", ""},
		{"javascript.js", []string{"node", "--version"}, []string{"node", "-e"}, "", ".then(answer => answer.text()).then(console.log)"},
		{"php.php", []string{"php", "--ri", "curl"}, []string{"php", "-r"}, "", ""},
		{"python.py", []string{"python3", "-c", "import requests"}, []string{"python3", "-c"}, "import requests\nprint(", ".text)"},
	}
	for _, sample := range samples {
		t.Run(sample.file, func(t *testing.T) {
			require(t, sample.probe)
			documented, err := os.ReadFile(filepath.Join("testdata", "samples", sample.file))
			if err != nil {
				t.Fatal(err)
			}
			g := start(t, options{})
			program := strings.NewReplacer("https://{website}", g.url, "{customerId}", "1").Replace(strings.TrimSpace(string(documented)))
			for _, run := range []struct{ name, message string }{
				{"first", "Customer updated successfully!"},
				{"again, when there is nothing left to change", "Nothing was written: the customer already is as asked."},
			} {
				output, err := exec.CommandContext(t.Context(), sample.command[0], append(sample.command[1:], sample.before+program+sample.after)...).Output()
				if err != nil {
					t.Fatalf("%s: %v", run.name, err)
				}
				checkDocumentedAnswer(t, run.name, run.message, output)
			}
		})
	}
}

func checkDocumentedAnswer(t *testing.T, run, message string, output []byte) {
	t.Helper()
	var answer struct {
		Message string
		Data    map[string]any
	}
	if err := json.Unmarshal(output, &answer); err != nil {
		t.Fatalf("%s: %v\n%s", run, err, output)
	}
	if answer.Message != message {
		t.Errorf("%s: message is %q", run, answer.Message)
	}
	for name, value := range map[string]any{
		"id": 1.0, "email": "customer@example.com", "first_name": "John Doe", "last_name": "Updated",
		"city": "string", "status": "string", "notes": "string", "country": "string", "state": "string", "postcode": "string", "user_id": 0.0,
	} {
		if answer.Data[name] != value {
			t.Errorf("%s: data.%s is %v, want %v", run, name, answer.Data[name], value)
		}
	}
}

// require skips the test where a program is missing, except in CI, where a missing one is a failure.
func require(t *testing.T, probe []string) {
	t.Helper()
	err := exec.CommandContext(t.Context(), probe[0], probe[1:]...).Run()
	switch {
	case err == nil:
	case os.Getenv("CI") != "":
		t.Fatalf("%s is missing: %v", probe[0], err)
	default:
		t.Skipf("%s is missing: %v", probe[0], err)
	}
}
