package main

import (
	"sync"
	"time"
)

// result is the result of one call.
type result struct {
	number  int
	outcome outcome
	took    time.Duration // since it was due
	late    time.Duration // from when it was due until it began
}

// results collects the results of a run. It is safe for concurrent use.
type results struct {
	allowed []string // the outcomes that are no failures

	mu       sync.Mutex // guards what follows
	start    time.Time
	took     time.Duration
	due      int // calls that were due in the open loop
	all      []result
	failures int
	messages map[outcome]string // the first message of each
}

func newResults(allowed []string) *results {
	return &results{allowed: allowed, messages: map[outcome]string{}}
}

func (r *results) begin(at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.start = at
}

func (r *results) end(at time.Time, due int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.took, r.due = at.Sub(r.start), due
}

func (r *results) add(one result, message string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, one)
	if one.outcome.isFailure(r.allowed) {
		r.failures++
	}
	if _, known := r.messages[one.outcome]; !known {
		r.messages[one.outcome] = message
	}
}

// progress returns the numbers of calls that have ended, and of those that have failed.
func (r *results) progress() (ended, failed int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.all), r.failures
}
