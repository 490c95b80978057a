package admission

import (
	"math"
	"sync"
	"time"
)

const (
	// newest is the weight of the newest duration in the mean.
	newest = 0.2
	// forgotten is how fast a mean fades that nothing is added to: to half in that time, after as long. Else what once
	// took too long would be refused for ever, and never measured again.
	forgotten = 2 * time.Second
	// longAnyway is long also for what takes no time as a rule.
	longAnyway = 100 * time.Millisecond
)

// LatencyEstimate is how long something takes of late. The zero LatencyEstimate knows nothing. It is safe for concurrent use.
type LatencyEstimate struct {
	mu   sync.Mutex
	mean time.Duration
	last time.Time
}

// Add adds a duration. One that is far beyond the mean counts as a long one, and not for all that it is: a single write
// that hangs must not have everybody refused. Where all take longer the mean grows quickly all the same.
func (p *LatencyEstimate) Add(took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	mean := p.faded(now)
	if p.last.IsZero() {
		mean = took
	}
	took = min(took, 4*mean+longAnyway)
	p.mean = mean + time.Duration(newest*float64(took-mean))
	p.last = now
}

// Mean returns the moving average, or 0 if nothing is known of late.
func (p *LatencyEstimate) Mean() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.faded(time.Now())
}

func (p *LatencyEstimate) faded(now time.Time) time.Duration {
	idle := now.Sub(p.last) - forgotten
	if idle <= 0 {
		return p.mean
	}
	return time.Duration(float64(p.mean) * math.Exp2(-idle.Seconds()/forgotten.Seconds()))
}
