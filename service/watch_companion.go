package service

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

const (
	// probeInterval is how often the companion is probed for.
	probeInterval = 5 * time.Minute
	// missingInterval is the interval in write mode atomic while the companion is not usable, because nothing can be written.
	missingInterval = 5 * time.Second
	// firstProbePause is the pause after a probe that the store did not answer. It doubles with each, up to longestProbePause.
	firstProbePause   = time.Second
	longestProbePause = 30 * time.Second
)

// Why the companion is not usable.
const (
	noCompanion      = "the store has no WordPress companion"
	companionRefuses = "the WordPress companion refuses to work on this store"
)

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
		var wait time.Duration
		wait, pause = probePauses(answered, s.writeMode == Atomic && s.companion.why() != "", pause)
		if !s.companion.pause(ctx, wait) {
			return
		}
	}
}

// pause waits for that long, or for as long as an update asks for. It returns false if ctx ends before.
func (c *companion) pause(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			return true
		case sooner := <-c.wake:
			timer.Reset(min(sooner, wait))
		case <-ctx.Done():
			return false
		}
	}
}

// probePauses returns the pause after a probe, and the pause after the next one if that gets no answer. missing says that nothing
// can be written until the companion is found.
func probePauses(answered, missing bool, pause time.Duration) (wait, next time.Duration) {
	interval, longest := probeInterval, longestProbePause
	if missing {
		interval, longest = missingInterval, missingInterval
	}
	if answered {
		return interval, firstProbePause
	}
	return pause, min(2*pause, longest)
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
		s.setUsable(ctx, false, companionRefuses+" ("+strings.Join(found.Refuses, ", ")+")")
	case failure.Kind == fluentcart.NoRoute:
		s.setUsable(ctx, false, noCompanion)
	case failure.Kind == fluentcart.BadAnswer, failure.Kind == fluentcart.Unauthenticated, failure.Kind == fluentcart.Forbidden, failure.Kind == fluentcart.Refused:
		s.setUsable(ctx, false, "the store does not answer as the WordPress companion does")
	default:
		return false
	}
	return true
}

// missCompanion notes that an update found no usable companion. The first of several at once asks for a probe.
func (s *Service) missCompanion(ctx context.Context, problem string) {
	if s.setUsable(ctx, false, problem) {
		s.companion.missed()
	}
}

// setUsable notes whether the companion is usable, logs a change, and reports whether there is one. A store that never had the
// companion is as it should be in write mode auto.
func (s *Service) setUsable(ctx context.Context, usable bool, problem string) (changed bool) {
	isFirst := !s.companion.wasProbed()
	if !s.companion.set(usable, problem) {
		return false
	}
	if usable {
		s.logger.LogAttrs(ctx, slog.LevelInfo, "customers are updated atomically, through the WordPress companion")
		return true
	}
	level := slog.LevelWarn
	if isFirst && s.writeMode == Auto && problem == noCompanion {
		level = slog.LevelInfo
	}
	s.logger.LogAttrs(ctx, level, "customers are not updated through the WordPress companion", slog.String("reason", problem), slog.String("write_mode", string(s.writeMode)))
	return true
}
