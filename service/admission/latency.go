package admission

import (
	"math"
	"sync"
	"time"
)

const (
	// newestWeight is the weight of the newest duration in the moving average.
	newestWeight = 0.2
	// halfLife: if no new duration has come for this long, the average begins to fade, and halves every halfLife from then
	// on. Without fading, an operation that was too slow once would be rejected for ever, and never measured again.
	halfLife = 2 * time.Second
	// outlierFloor is the duration up to which no value counts as an outlier, even if the average is near 0.
	outlierFloor = 100 * time.Millisecond
)

// LatencyEstimate estimates the duration of an operation by a moving average of its recent durations. The zero value has
// no data. It is safe for concurrent use.
type LatencyEstimate struct {
	mu   sync.Mutex
	mean time.Duration
	last time.Time // of the latest Add
}

// Add adds a duration. An outlier counts as at most 4 times the average plus 100 ms, so that a single write that hangs
// does not get all calls rejected. If all operations become slower, the average still grows quickly.
func (e *LatencyEstimate) Add(took time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	mean := e.meanAt(now)
	if e.last.IsZero() {
		mean = took
	}
	took = min(took, 4*mean+outlierFloor)
	e.mean = mean + time.Duration(newestWeight*float64(took-mean))
	e.last = now
}

// Mean returns the moving average. It is 0 without data, and halves every 2 s once no duration was added for 2 s.
func (e *LatencyEstimate) Mean() time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.meanAt(time.Now())
}

func (e *LatencyEstimate) meanAt(now time.Time) time.Duration {
	idle := now.Sub(e.last) - halfLife
	if idle <= 0 {
		return e.mean
	}
	return time.Duration(float64(e.mean) * math.Exp2(-idle.Seconds()/halfLife.Seconds()))
}
