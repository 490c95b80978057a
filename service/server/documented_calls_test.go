package server_test

import (
	"os"
	"regexp"
	"slices"
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

// atomicHeading is that of the table of the faults whose outcome is another one in write mode atomic.
const atomicHeading = "### In write mode atomic\n"

// documentedCalls returns the rows for write mode merge.
func documentedCalls(t *testing.T) []documentedCall {
	t.Helper()
	page := readSandboxPage(t)
	before, rest, _ := strings.Cut(page, atomicHeading)
	_, after, found := strings.Cut(rest, "\n## ")
	if !found {
		t.Fatal("docs/sandbox.md has no table for write mode atomic")
	}
	return callsIn(t, before+after)
}

// documentedAtomicCalls returns the rows for write mode atomic: those of the other mode, with the outcomes that differ. A fault on
// reads has none for an update, which makes no read.
func documentedAtomicCalls(t *testing.T) []documentedCall {
	t.Helper()
	_, rest, _ := strings.Cut(readSandboxPage(t), atomicHeading)
	table, _, _ := strings.Cut(rest, "\n## ")
	calls := documentedCalls(t)
	for i := range calls {
		if calls[i].fault != "" && isOnReads(t, calls[i].fault) {
			calls[i].want = documentedOutcome{Code: "OK", HTTP: "200", Stored: "yes"}
		}
	}
	for _, other := range callsIn(t, table) {
		i := slices.IndexFunc(calls, func(c documentedCall) bool { return c.fault == other.fault && c.deadline == other.deadline })
		switch {
		case i < 0:
			t.Errorf("%s is not in the table for write mode merge", other.fault)
		case calls[i] == other:
			t.Errorf("the outcome of %s follows from the text and the table for write mode merge: leave the row out", other.fault)
		default:
			calls[i] = other
		}
	}
	return calls
}

func readSandboxPage(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("../../docs/sandbox.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

// callsIn reads the rows of a text. A row that it does not understand is an error, so that none is left out.
func callsIn(t *testing.T, text string) []documentedCall {
	t.Helper()
	const outcome = " \\| `([A-Z_]+)` \\| (\\d+) \\| (?:`([A-Z_]+)` )?\\| (?:`([a-z_]+)` )?\\|"
	withFault := regexp.MustCompile("^\\| `fault '(.+)'` \\| (?:(\\d+) s )?\\|" + strings.TrimPrefix(outcome, " \\|") + " (yes|no|later) \\|$")
	without := regexp.MustCompile("^\\| `update '?([^' ]+)'? '(.+)'`" + outcome + "$")
	var calls []documentedCall
	for line := range strings.Lines(text) {
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
