package main

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// run sends the load and prints the result. It returns an error unless every call was answered OK, or with an outcome that
// is allowed, and the store agrees with the answers.
func run(ctx context.Context, cfg config, stdout, stderr io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, cfg.timeout)
	defer cancel()
	loaded, err := prepare(ctx, cfg, stderr)
	if err != nil {
		return err
	}
	defer loaded.close()
	caller, err := newCaller(cfg, loaded.addr)
	if err != nil {
		return err
	}
	defer caller.close()

	if cfg.json {
		announce(stderr, cfg, loaded.addr)
	} else {
		announce(stdout, cfg, loaded.addr)
	}
	sender := newSender(cfg, caller)
	if err := sender.warmUp(ctx); err != nil {
		return err
	}
	before, err := loaded.counts(ctx)
	if err != nil {
		return err
	}
	stop := showProgress(stderr, sender.measured, cfg.calls)
	sender.measure(ctx)
	stop()

	s := summarize(cfg, sender.measured)
	fault := errors.Join(ending(ctx, cfg), s.failures(), s.addStore(context.WithoutCancel(ctx), loaded, before, sender))
	if err := s.print(stdout, cfg.json, fault); err != nil {
		return err
	}
	return fault
}

// ending returns an error if the run ended before its plan.
func ending(ctx context.Context, cfg config) error {
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("stopped by the -timeout of %s", cfg.timeout)
	case ctx.Err() != nil:
		return errors.New("interrupted")
	}
	return nil
}
