package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// storeSummary is what reached the store during the measured calls.
type storeSummary struct {
	CountedBy   string   `json:"counted_by"`
	Requests    requests `json:"requests"`
	PerOK       float64  `json:"requests_per_ok,omitempty"`
	MaxInFlight int      `json:"max_in_flight,omitempty"`
	Agrees      bool     `json:"agrees"` // the answers were compared with what the sandbox store applied
}

// addStore adds what has reached the store since before, if that is known. It ends the gateway and the store if they were
// started here, and returns an error if the store contradicts the answers or cannot be counted.
func (s *summary) addStore(ctx context.Context, l *loaded, before requests, sender *sender) error {
	l.close() // no write is in flight from here on, if the gateway was started here
	after, err := l.counts(ctx)
	if err != nil || before == nil {
		return err
	}
	s.Store = newStoreSummary(after.since(before), s.ok())
	if l.store == nil {
		return nil
	}
	err = l.verify(sender)
	s.Store.CountedBy, s.Store.MaxInFlight, s.Store.Agrees = "the sandbox store", l.store.MaxInFlight(), err == nil
	return err
}

func newStoreSummary(reached requests, ok int) *storeSummary {
	s := &storeSummary{CountedBy: "the metrics of the gateway, which include other callers", Requests: reached}
	if ok > 0 {
		total := 0
		for count := range maps.Values(reached) {
			total += count
		}
		s.PerOK = float64(total) / float64(ok)
	}
	return s
}

// String says what reached the store.
func (s *storeSummary) String() string {
	if s == nil {
		return "What reached the store is not known; -admin takes the URL of the gateway's admin server, whose metrics count it."
	}
	var counts []string
	for _, name := range slices.Sorted(maps.Keys(s.Requests)) {
		counts = append(counts, fmt.Sprintf("%d %s", s.Requests[name], name))
	}
	if counts == nil {
		counts = []string{"nothing"}
	}
	text := fmt.Sprintf("The store got %s (counted by %s)", strings.Join(counts, " and "), s.CountedBy)
	if s.PerOK > 0 {
		text += fmt.Sprintf(": %.2f requests for each OK", s.PerOK)
	}
	if s.MaxInFlight > 0 {
		text += fmt.Sprintf(", at most %d at once", s.MaxInFlight)
	}
	text += "."
	if s.Agrees {
		text += "\nIt agrees with the answers: each OK was applied once, and each update that was answered as not written never."
	}
	return text
}
