// Package faults is the switch for the faults of the sandbox store: an HTTP API that sets them while the store runs, for
// authors of clients. It switches the store's companion plug-in too. docs/sandbox.md lists the faults, and what callers of the
// gateway then get.
package faults

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// maxFaults bounds how many faults are set at once.
const maxFaults = 32

// Switch holds the faults that are set. It is safe for concurrent use.
type Switch struct {
	mu  sync.Mutex // guards set, and fired in its elements
	set []*fault   // the latest last
}

// fault is a fault that is set.
type fault struct {
	parameters

	kind     kind
	on       string
	customer int64 // 0 is all
	count    int   // how many requests it is for; 0 is all
	fired    int
}

// New returns a switch without a fault.
func New() *Switch { return &Switch{} }

// Fail is the [sandbox.Config].Fail of the store that the switch is for. If several faults are for a request, the latest
// one is injected.
func (s *Switch) Fail(r *http.Request) *sandbox.Failure {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.set) == 0 {
		return nil
	}
	customer, reads := sandbox.Customer(r)
	on := onWrite
	switch {
	case reads:
		on = onRead
	case sandbox.Cancels(r):
		on = onCancel
	}
	for _, f := range slices.Backward(s.set) {
		if f.isFor(customer, on) {
			f.fired++
			failure := f.kind.failure(f.parameters)
			failure.Delay = f.delay
			return &failure
		}
	}
	return nil
}

func (f *fault) isFor(customer int64, on string) bool {
	return !f.isSpent() &&
		(f.customer == 0 || f.customer == customer) &&
		(f.on == onBoth || f.on == on)
}

// isSpent reports whether the fault was injected as often as asked for.
func (f *fault) isSpent() bool { return f.count > 0 && f.fired >= f.count }

// add sets a fault, and returns it as it is shown. It replaces one of the same name for the same requests, and, if there are too many, one that is spent.
func (s *Switch) add(f *fault) (shownFault, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.set = slices.DeleteFunc(s.set, func(old *fault) bool {
		return old.kind.name == f.kind.name && old.on == f.on && old.customer == f.customer
	})
	if len(s.set) >= maxFaults {
		spent := slices.IndexFunc(s.set, (*fault).isSpent)
		if spent < 0 {
			return shownFault{}, fmt.Errorf("%d faults are set, which is the limit; DELETE %s clears them", maxFaults, faultsPath)
		}
		s.set = slices.Delete(s.set, spent, spent+1)
	}
	s.set = append(s.set, f)
	return f.shown(), nil
}

func (s *Switch) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.set = nil
}

// shownFault is a fault as it is shown.
type shownFault struct {
	Fault        string `json:"fault"`
	On           string `json:"on"`
	CustomerID   int64  `json:"customer_id,omitempty"`
	Count        int    `json:"count,omitempty"`
	Delay        string `json:"delay,omitempty"`
	AppliedAfter string `json:"applied_after,omitempty"`
	RetryAfter   string `json:"retry_after,omitempty"`
	Fired        int    `json:"fired"`
}

// list returns the faults that are set, the one that is injected first before the others.
func (s *Switch) list() []shownFault {
	s.mu.Lock()
	defer s.mu.Unlock()
	shown := make([]shownFault, 0, len(s.set))
	for _, f := range slices.Backward(s.set) {
		shown = append(shown, f.shown())
	}
	return shown
}

func (f *fault) shown() shownFault {
	return shownFault{
		Fault: f.kind.name, On: f.on, CustomerID: f.customer, Count: f.count, Fired: f.fired,
		Delay: shownDuration(f.delay), AppliedAfter: shownDuration(f.appliedAfter), RetryAfter: shownDuration(f.retryAfter),
	}
}

func shownDuration(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return d.String()
}
