package service_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// logLine has the attributes of one line of the service's log that the tests check.
type logLine struct {
	Level    string `json:"level"`
	Message  string `json:"msg"`
	Customer int64  `json:"customer_id"`
	State    string `json:"write_state"`
}

var ignoreMessage = cmp.FilterPath(func(p cmp.Path) bool { return p.String() == "Message" }, cmp.Ignore())

func logLines(t testing.TB, log *bytes.Buffer) []logLine {
	t.Helper()
	var lines []logLine
	for text := range bytes.Lines(log.Bytes()) {
		var line logLine
		if err := json.Unmarshal(text, &line); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		lines = append(lines, line)
	}
	return lines
}
