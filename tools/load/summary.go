package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// summary is the result of a run.
type summary struct {
	Mode     string           `json:"mode"`
	Calls    int              `json:"calls"`
	Seconds  float64          `json:"seconds"`
	Rate     float64          `json:"calls_per_second"`
	OKRate   float64          `json:"ok_per_second"`
	OpenLoop *openLoop        `json:"open_loop,omitempty"`
	Latency  *latency         `json:"latency,omitempty"`
	Outcomes []outcomeSummary `json:"outcomes"`
	Store    *storeSummary    `json:"store,omitempty"` // absent if not known
	Fault    string           `json:"fault,omitempty"` // why the run has failed

	allowed []string
}

// openLoop is how well the calls began when they were due.
type openLoop struct {
	Rate    float64 `json:"calls_per_second"`
	Due     int     `json:"due"`
	NotSent int     `json:"not_sent"` // still waited for a worker when the run ended
	Late    int     `json:"late"`     // began more than lateLimit late
	MaxLate float64 `json:"max_late_ms"`
}

// lateLimit is far above the delays of a timer.
const lateLimit = 20 * time.Millisecond

// latency is a distribution, in milliseconds.
type latency struct {
	P50 float64 `json:"p50_ms"`
	P90 float64 `json:"p90_ms"`
	P99 float64 `json:"p99_ms"`
	Max float64 `json:"max_ms"`
}

type outcomeSummary struct {
	outcome
	Calls   int     `json:"calls"`
	Latency latency `json:"latency"`
	Message string  `json:"message,omitempty"` // of the first
}

func summarize(cfg config, r *results) *summary {
	s := &summary{
		Mode: cfg.mode, Calls: len(r.all), Seconds: r.took.Seconds(), Latency: distribution(r.all), Outcomes: []outcomeSummary{},
		allowed: cfg.allow,
	}
	byOutcome := map[outcome][]result{}
	for _, one := range r.all {
		byOutcome[one.outcome] = append(byOutcome[one.outcome], one)
	}
	for o, those := range byOutcome {
		s.Outcomes = append(s.Outcomes, outcomeSummary{o, len(those), *distribution(those), r.messages[o]})
	}
	slices.SortFunc(s.Outcomes, func(a, b outcomeSummary) int {
		return cmp.Or(cmp.Compare(b.Calls, a.Calls), cmp.Compare(a.String(), b.String()))
	})
	if r.took > 0 {
		s.Rate = float64(s.Calls) / s.Seconds
		s.OKRate = float64(s.ok()) / s.Seconds
	}
	if cfg.rate > 0 {
		s.OpenLoop = &openLoop{Rate: cfg.rate, Due: r.due, NotSent: max(r.due-len(r.all), 0)}
		for _, one := range r.all {
			if one.late > lateLimit {
				s.OpenLoop.Late++
			}
			s.OpenLoop.MaxLate = max(s.OpenLoop.MaxLate, milliseconds(one.late))
		}
	}
	return s
}

// ok is how many calls were answered OK.
func (s *summary) ok() int {
	for _, o := range s.Outcomes {
		if o.isOK() {
			return o.Calls
		}
	}
	return 0
}

// failures returns an error that lists the outcomes that are neither OK nor allowed.
func (s *summary) failures() error {
	var failed []string
	for _, o := range s.Outcomes {
		if o.isFailure(s.allowed) {
			failed = append(failed, fmt.Sprintf("%d × %v", o.Calls, o.outcome))
		}
	}
	if failed == nil {
		return nil
	}
	return fmt.Errorf("calls failed: %s (-allow takes reasons and codes that are expected)", strings.Join(failed, ", "))
}

// distribution returns nothing for no results.
func distribution(all []result) *latency {
	if len(all) == 0 {
		return nil
	}
	took := make([]time.Duration, len(all))
	for i, one := range all {
		took[i] = one.took
	}
	slices.Sort(took)
	at := func(percent int) float64 { return milliseconds(percentile(took, percent)) }
	return &latency{at(50), at(90), at(99), at(100)}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// percentile returns the smallest of the sorted values that at least percent of them do not exceed.
func percentile(sorted []time.Duration, percent int) time.Duration {
	rank := (len(sorted)*percent + 99) / 100
	return sorted[max(rank, 1)-1]
}
