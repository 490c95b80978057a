package server_test

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// documentedCall is a row of the tables in docs/sandbox.md.
type documentedCall struct {
	fault    string // the JSON that sets it, or none
	deadline time.Duration
	path     string // of the customer, with a query
	body     string
	want     documentedOutcome
}

type documentedOutcome struct {
	Code, HTTP, Reason, WriteState string
	Stored                         string // yes, no or later
}

// documentedCalls reads the rows. A row that it does not understand is an error, so that none is left out.
func documentedCalls(t *testing.T) []documentedCall {
	t.Helper()
	page, err := os.ReadFile("../../docs/sandbox.md")
	if err != nil {
		t.Fatal(err)
	}
	const outcome = " \\| `([A-Z_]+)` \\| (\\d+) \\| (?:`([A-Z_]+)` )?\\| (?:`([a-z_]+)` )?\\|"
	withFault := regexp.MustCompile("^\\| `fault '(.+)'` \\| (?:(\\d+) s )?\\|" + strings.TrimPrefix(outcome, " \\|") + " (yes|no|later) \\|$")
	without := regexp.MustCompile("^\\| `update '?([^' ]+)'? '(.+)'`" + outcome + "$")
	var calls []documentedCall
	for line := range strings.Lines(string(page)) {
		line = strings.TrimSpace(line)
		if cells := withFault.FindStringSubmatch(line); cells != nil {
			seconds, _ := strconv.Atoi(cells[2]) // digits, or none
			calls = append(calls, documentedCall{
				cells[1], time.Duration(seconds) * time.Second, "1", `{"city":"Lyon"}`,
				documentedOutcome{cells[3], cells[4], cells[5], cells[6], cells[7]},
			})
		} else if cells := without.FindStringSubmatch(line); cells != nil {
			calls = append(calls, documentedCall{
				path: cells[1], body: cells[2], want: documentedOutcome{cells[3], cells[4], cells[5], cells[6], "no"},
			})
		} else if strings.HasPrefix(line, "| `fault '") || strings.HasPrefix(line, "| `update ") {
			t.Errorf("this row is not understood: %s", line)
		}
	}
	return calls
}

// flagDefault returns the default of a flag with a duration. A test of the command compares that page with the flags.
func flagDefault(t *testing.T, flag string) time.Duration {
	t.Helper()
	page, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?m)^\\| `--" + flag + "` \\| `(.+?)` \\|").FindSubmatch(page)
	if found == nil {
		t.Fatalf("docs/configuration.md has no --%s", flag)
	}
	value, err := time.ParseDuration(string(found[1]))
	if err != nil {
		t.Fatal(err)
	}
	return value
}
