package main

import (
	"fmt"
	"strings"
	"testing"
)

func TestAnswersThatTheStoreContradictsAreFound(t *testing.T) {
	notes := func(number int) string { return fmt.Sprint("call ", number) }
	for _, row := range []struct {
		name    string
		outcome outcome
		applied int
		want    bool // a contradiction
	}{
		{"OK and applied", outcome{Code: "OK"}, 1, false},
		{"OK and not applied", outcome{Code: "OK"}, 0, true},
		{"OK and applied twice", outcome{Code: "OK"}, 2, true},
		{"not sent and not applied", outcome{"RESOURCE_EXHAUSTED", "OVERLOADED", "not_sent"}, 0, false},
		{"not sent and applied", outcome{"RESOURCE_EXHAUSTED", "OVERLOADED", "not_sent"}, 1, true},
		{"rejected and applied", outcome{"INVALID_ARGUMENT", "STORE_REJECTED", "rejected"}, 1, true},
		{"unknown and applied", outcome{"UNKNOWN", "WRITE_OUTCOME_UNKNOWN", "unknown"}, 1, false},
		{"unknown and not applied", outcome{"UNKNOWN", "WRITE_OUTCOME_UNKNOWN", "unknown"}, 0, false},
		{"unknown and applied twice", outcome{"UNKNOWN", "WRITE_OUTCOME_UNKNOWN", "unknown"}, 2, true},
		{"cut off and applied", outcome{Code: cutOff}, 1, false},
	} {
		s := &store{applied: map[string]int{"call 1": row.applied}}
		err := s.verify([]result{{number: 1, outcome: row.outcome}}, notes)
		if (err != nil) != row.want {
			t.Errorf("%s: %v", row.name, err)
		}
	}
}

func TestLongListsOfContradictionsEnd(t *testing.T) {
	s := &store{applied: map[string]int{}}
	all := make([]result, 100)
	for i := range all {
		all[i] = result{number: i, outcome: outcome{Code: "OK"}}
	}
	err := s.verify(all, func(int) string { return "" })
	if lines := strings.Split(err.Error(), "\n"); len(lines) != maxListed+1 || lines[maxListed] != "and 90 more" {
		t.Errorf("%v", err)
	}
}
