// Package telemetry records what a call did, for its log line and the metrics: where its time went, what became of its
// write, and which fields changed. It holds names of fields, and no values.
package telemetry

import (
	"context"
	"time"
)

// Phase is a part of the time of a call.
type Phase int

// The phases. The gateway's own time is the rest.
const (
	Queue    Phase = iota // waiting for a slot, and for the rate limit of the store
	Lease                 // waiting for the customer's lease
	StoreGet              // the read, and its retries
	StorePut              // the write
	Verify                // waiting until an in-doubt write is verified
	phases
)

// Phases returns all phases.
func Phases() []Phase { return []Phase{Queue, Lease, StoreGet, StorePut, Verify} }

// String returns the name that metrics use.
func (p Phase) String() string {
	return [phases]string{"queue", "lease", "store_get", "store_put", "verify"}[p]
}

// Result is what a call that succeeded did to the customer.
type Result string

// The results of updates.
const (
	Written   Result = "written"
	Unchanged Result = "unchanged" // the customer already was as asked
	DryRun    Result = "dry_run"   // validate_only was set
	Repeated  Result = "repeated"  // an update with the same request_id was applied before
)

// Call is the record of one call. Only the goroutine of the call uses it. A nil Call records nothing.
type Call struct {
	// Result is empty for a read, and for a call that failed.
	Result Result
	// Changed holds the names of the fields that the store changed.
	Changed []string
	// UpdateRequestID is the caller's own id of the update, a UUID or empty.
	UpdateRequestID string

	spent [phases]time.Duration
}

// Spent returns the time that the call has spent in a phase.
func (c *Call) Spent(phase Phase) time.Duration {
	if c == nil {
		return 0
	}
	return c.spent[phase]
}

// Own returns what the phases leave of the total time.
func (c *Call) Own(total time.Duration) time.Duration {
	if c != nil {
		for _, spent := range c.spent {
			total -= spent
		}
	}
	return max(total, 0)
}

type callContext struct{}

// NewContext returns a context with the record of a call.
func NewContext(ctx context.Context, c *Call) context.Context {
	return context.WithValue(ctx, callContext{}, c)
}

// CallOf returns the record in a context, or nil.
func CallOf(ctx context.Context) *Call {
	c, _ := ctx.Value(callContext{}).(*Call)
	return c
}

// Measured is a phase that has begun.
type Measured struct {
	call  *Call
	phase Phase
	begin time.Time
}

// Begin begins a phase of the call of ctx. End must be called.
func Begin(ctx context.Context, phase Phase) Measured {
	return Measured{call: CallOf(ctx), phase: phase, begin: time.Now()}
}

// End adds the time since Begin to the phase, and returns it.
func (m Measured) End() time.Duration {
	took := time.Since(m.begin)
	if m.call != nil {
		m.call.spent[m.phase] += took
	}
	return took
}
