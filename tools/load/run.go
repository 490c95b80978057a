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
	ended := ctx.Err()
	after, err := loaded.counts(context.WithoutCancel(ctx))
	if err != nil {
		return err
	}
	loaded.close() // if it was started here, no write is in flight from here on

	s := summarize(cfg, sender.measured)
	s.countStore(loaded, before, after)
	contradiction := loaded.verify(sender)
	if loaded.store != nil {
		s.Store.Agrees = contradiction == nil
	}
	faults := []error{s.failures(), contradiction}
	switch {
	case errors.Is(ended, context.DeadlineExceeded):
		faults = append(faults, fmt.Errorf("stopped by the -timeout of %s", cfg.timeout))
	case ended != nil:
		faults = append(faults, errors.New("interrupted"))
	}
	err = errors.Join(faults...)
	if err := s.print(stdout, cfg.json, err); err != nil {
		return err
	}
	return err
}

// announce says what the run will do, before it begins.
func announce(out io.Writer, cfg config, addr string) {
	store := "a sandbox store that lives as long as this run, through a gateway started for it"
	if cfg.addr != "" {
		store = "the store behind the gateway at " + addr + ", which may be a live shop"
	}
	fmt.Fprintf(out, "Overwrites the notes of the customers %s of %s.\n", ranges(cfg.customers), store)

	loop := fmt.Sprintf("in a closed loop of %d workers", cfg.parallel)
	if cfg.rate > 0 {
		loop = fmt.Sprintf("%g a second, at most %d at once", cfg.rate, cfg.parallel)
	}
	fmt.Fprintf(out, "At most %d calls, %s, after a warm-up of %d. Ends within %s; Ctrl-C ends it earlier.\n", cfg.calls, loop, cfg.warmup, cfg.timeout)
	switch cfg.mode {
	case modeGrpcurl:
		fmt.Fprintln(out, "Each call starts a grpcurl process. That is mostly what is measured, and not the gateway: -mode=grpc measures the gateway.")
	case modeGRPC, modeHTTP:
		fmt.Fprintf(out, "The client is in this process and calls over %s.\n", cfg.mode)
	}
	if len(cfg.customers) < cfg.parallel {
		fmt.Fprintf(out, "Updates of one customer follow one another: with %d of them, the other calls at once wait in the gateway. More customers avoid that.\n", len(cfg.customers))
	}
}
