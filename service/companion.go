package service

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// Two ways of updating must not meet in one customer: an atomic update that comes between the read and the write of another
// update would be lost. So a change of ways takes time. Once the companion is there, atomic updates still take leases, until no
// update of the other kind can be left. Once it is gone, no update begins by a read before the latest atomic one has ended.

const (
	// probeInterval is how often the companion is probed for.
	probeInterval = 5 * time.Minute
	// missingInterval is the interval in write mode atomic while the companion is missing, because nothing can be written.
	missingInterval = 5 * time.Second
	// firstProbePause is the pause after a probe that the store did not answer. It doubles with each, up to the interval.
	firstProbePause = time.Second
	// longestCall is the longest time that a call may take.
	longestCall = time.Minute
	// longestIdleWait is how long a call waits for atomic updates that have to end before it.
	longestIdleWait = time.Second
)

// companion knows whether the store has the companion.
type companion struct {
	merges     bool // without the companion, customers are updated by a read, a merge and a write
	shared     bool // other gateways update the same store
	settleTime time.Duration
	wake       chan struct{} // asks for a probe
	probed     chan struct{} // closed after the first probe

	mu          sync.Mutex
	usable      bool
	problem     string // why it is not usable
	generation  int    // counts the changes of usable
	leasedUntil time.Time
	mergesFrom  time.Time
	inFlight    int
	idle        chan struct{} // closed when inFlight becomes 0; nil if it is
}

func newCompanion(cfg *Config) *companion {
	return &companion{
		merges: cfg.WriteMode == Auto, shared: cfg.Shared, settleTime: cfg.SettleTime,
		wake: make(chan struct{}, 1), probed: make(chan struct{}),
		problem: "the store has not been asked for the WordPress companion yet",
	}
}

// updater returns the way in which an update is made.
func (s *Service) updater(ctx context.Context, request *customerv1.UpdateCustomerRequest) (updater, error) {
	switch {
	case s.writeMode == Replace:
		return replace{s}, nil
	case s.writeMode == Merge, request.GetValidateOnly(): // a dry run only reads
		return readMergeWrite{s}, nil
	}
	if err := s.companion.awaitProbe(ctx); err != nil {
		return nil, notSent(err)
	}
	if way, ok := s.companion.updater(s); ok {
		return way, nil
	}
	return s.updaterWithoutCompanion(ctx)
}

// awaitProbe waits for the first probe.
func (c *companion) awaitProbe(ctx context.Context) error {
	if c.wasProbed() { // also for a call whose deadline has passed, which has to get the error that it deserves first
		return nil
	}
	select {
	case <-c.probed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// updater returns the atomic way, if the companion is usable.
func (c *companion) updater(s *Service) (updater, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return atomicUpdate{s, c.generation, time.Now().Before(c.leasedUntil)}, c.usable
}

// updaterWithoutCompanion returns the way for a store without a usable companion.
func (s *Service) updaterWithoutCompanion(ctx context.Context) (updater, error) {
	if s.writeMode == Atomic {
		return nil, companionMissing(s.companion.why())
	}
	if wait := s.companion.wait(ctx); wait > 0 {
		return nil, apierror.New(apierror.StoreUnavailable, apierror.NotSent,
			"the WordPress companion has gone, and updates that it may still apply have not ended; nothing was written", apierror.RetryInfo(wait))
	}
	return readMergeWrite{s}, nil
}

// withoutCompanion continues an update which found that the companion is not usable any more. Nothing was written.
func (s *Service) withoutCompanion(ctx context.Context, u *update, cause error) (*customerv1.UpdateCustomerResponse, error) {
	s.setUsable(ctx, false, "the store has no WordPress companion any more")
	s.companion.probeSoon()
	if s.writeMode == Atomic {
		return nil, cause
	}
	way, err := s.updaterWithoutCompanion(ctx)
	if err != nil {
		return nil, err
	}
	return way.update(ctx, u)
}

// errUnsupported is the cause of an error of the companion that does not work on its store.
var errUnsupported = errors.New("the companion does not work on this store")

// lacksCompanion reports whether an atomic update failed because the companion is gone or refuses to work. Nothing was written.
func lacksCompanion(err error) bool {
	failure, ok := errors.AsType[*fluentcart.Error](err)
	return ok && failure.Method == http.MethodPost && failure.Kind == fluentcart.NoRoute && failure.FromWordPress || errors.Is(err, errUnsupported)
}

// Watch probes for the companion, at once and every few minutes, until ctx is done. In write modes that do without the companion
// it returns at once.
func (s *Service) Watch(ctx context.Context) {
	if s.writeMode != Atomic && s.writeMode != Auto {
		return
	}
	pause := firstProbePause
	for first := true; ; first = false {
		answered := s.probe(ctx)
		if first {
			close(s.companion.probed)
		}
		wait := pause
		switch {
		case !answered:
			pause = min(2*pause, probeInterval)
		case s.writeMode == Atomic && s.companion.why() != "":
			wait, pause = missingInterval, firstProbePause
		default:
			wait, pause = probeInterval, firstProbePause
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-s.companion.wake:
			timer.Stop()
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

// Probed returns a channel that is closed after the first probe of Watch.
func (s *Service) Probed() <-chan struct{} { return s.companion.probed }

// probe asks the store for the companion, and reports whether the store answered. Otherwise nothing changes.
func (s *Service) probe(ctx context.Context) bool {
	found, err := s.store.ProbeCompanion(ctx)
	switch failure := failureOf(err); {
	case err == nil && found.Ready:
		s.setUsable(ctx, true, "")
	case err == nil:
		s.setUsable(ctx, false, "the WordPress companion refuses to work on this store ("+strings.Join(found.Refuses, ", ")+")")
	case failure.Kind == fluentcart.NoRoute:
		s.setUsable(ctx, false, "the store has no WordPress companion")
	case failure.Kind == fluentcart.BadAnswer, failure.Kind == fluentcart.Unauthenticated, failure.Kind == fluentcart.Forbidden, failure.Kind == fluentcart.Refused:
		s.setUsable(ctx, false, "the store does not answer as the WordPress companion does")
	default:
		return false
	}
	return true
}

// setUsable notes whether the companion is usable, and logs a change.
func (s *Service) setUsable(ctx context.Context, usable bool, problem string) {
	if !s.companion.set(usable, problem) {
		return
	}
	if usable {
		s.logger.LogAttrs(ctx, slog.LevelInfo, "customers are updated atomically, through the WordPress companion")
		return
	}
	s.logger.LogAttrs(ctx, slog.LevelWarn, "customers are not updated through the WordPress companion", slog.String("reason", problem), slog.String("write_mode", string(s.writeMode)))
}

// set reports whether anything has changed.
func (c *companion) set(usable bool, problem string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	changed := c.usable != usable || c.problem != problem
	if c.usable != usable {
		c.generation++
		now := time.Now()
		switch {
		case !c.merges:
		case !usable && c.shared:
			c.mergesFrom = now.Add(c.settleTime)
		case usable && c.shared: // the others find the companion by their next probe
			c.leasedUntil = now.Add(2*probeInterval + longestCall + c.settleTime)
		case usable && c.wasProbed(): // before the first probe has ended no update begins
			c.leasedUntil = now.Add(longestCall + c.settleTime)
		}
	}
	c.usable, c.problem = usable, problem
	return changed
}

// wasProbed reports whether the first probe has ended.
func (c *companion) wasProbed() bool {
	select {
	case <-c.probed:
		return true
	default:
		return false
	}
}

// why returns why the companion is not usable, or an empty text.
func (c *companion) why() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.problem
}

// isLeased reports whether atomic updates still take leases.
func (c *companion) isLeased() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Before(c.leasedUntil)
}

// begin notes that an atomic update is sent. It returns false if the companion has gone, or come back, since the update began.
func (c *companion) begin(generation int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.generation != generation {
		return false
	}
	if c.inFlight++; c.idle == nil {
		c.idle = make(chan struct{})
	}
	return true
}

// end notes that an atomic update has its outcome.
func (c *companion) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.inFlight--; c.inFlight == 0 {
		close(c.idle)
		c.idle = nil
	}
}

// wait waits a little until no atomic update is in flight. It returns how long another update has to wait then, or 0.
func (c *companion) wait(ctx context.Context) time.Duration {
	c.mu.Lock()
	idle, others := c.idle, time.Until(c.mergesFrom)
	c.mu.Unlock()
	if others > 0 {
		return others
	}
	if idle == nil {
		return 0
	}
	timer := time.NewTimer(longestIdleWait)
	defer timer.Stop()
	select {
	case <-idle:
		return 0
	case <-timer.C:
	case <-ctx.Done():
	}
	return longestIdleWait
}

// probeSoon asks for a probe.
func (c *companion) probeSoon() {
	select {
	case c.wake <- struct{}{}:
	default: // it was asked for
	}
}

// Mode returns how customers are updated now: merge, replace or atomic. In a mode that wants the companion, problem says why it
// is not used.
func (s *Service) Mode() (mode WriteMode, problem string) {
	if s.writeMode == Merge || s.writeMode == Replace {
		return s.writeMode, ""
	}
	problem = s.companion.why()
	if problem == "" || s.writeMode == Atomic {
		return Atomic, problem
	}
	return Merge, problem
}

// NeedsLeases reports whether updates take the leases of their customers now.
func (s *Service) NeedsLeases() bool {
	mode, _ := s.Mode()
	return mode != Atomic || s.companion.isLeased()
}
