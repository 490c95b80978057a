package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// sender makes the calls of a run.
type sender struct {
	cfg      config
	caller   *caller
	id       string // distinguishes the notes of this run from those of others
	warm     *results
	measured *results
}

func newSender(cfg config, caller *caller) *sender {
	id := strconv.FormatInt(time.Now().UnixNano(), 36)
	return &sender{cfg: cfg, caller: caller, id: id, warm: newResults(cfg.allow), measured: newResults(cfg.allow)}
}

// maxWarmUp bounds the warm-up in front of a slow store.
const maxWarmUp = 5 * time.Second

// warmUp opens the connections. The first call is made alone: if the gateway cannot be called, the run ends with it.
func (s *sender) warmUp(ctx context.Context) error {
	first, message := s.call(ctx, 0, s.warmNotes)
	switch {
	case ctx.Err() != nil:
		return errors.New("ended during the first call")
	case first.isHopeless():
		return fmt.Errorf("the first call ended with %v: %s", first, message)
	}
	plan{calls: s.cfg.warmup - 1, parallel: s.cfg.parallel, duration: maxWarmUp}.send(ctx, func(ctx context.Context, number int) (outcome, string) {
		return s.call(ctx, number, s.warmNotes)
	}, s.warm)
	if ctx.Err() != nil {
		return errors.New("ended during the warm-up")
	}
	return nil
}

// measure makes the calls of the plan.
func (s *sender) measure(ctx context.Context) {
	s.cfg.send(ctx, func(ctx context.Context, number int) (outcome, string) {
		return s.call(ctx, number, s.notes)
	}, s.measured)
}

func (s *sender) call(ctx context.Context, number int, notes func(int) string) (outcome, string) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.deadline+s.caller.extra)
	defer cancel()
	return s.caller.call(ctx, update{number, s.cfg.customers[number%len(s.cfg.customers)], notes(number)})
}

func (s *sender) notes(number int) string { return fmt.Sprintf("load test %s, call %d", s.id, number) }

func (s *sender) warmNotes(number int) string {
	return fmt.Sprintf("load test %s, warm-up call %d", s.id, number)
}
