package main

import (
	"fmt"
	"io"
)

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
	fmt.Fprintf(out, "At most %d calls, %s, after a warm-up of at most %d. Ends within %s; Ctrl-C ends it earlier.\n", cfg.calls, loop, cfg.warmup, cfg.timeout)
	switch cfg.mode {
	case modeGrpcurl:
		fmt.Fprintln(out, "Each call starts a grpcurl process. That is mostly what is measured, and not the gateway: -mode=grpc measures the gateway.")
	case modeGRPC, modeHTTP:
		fmt.Fprintf(out, "The client is in this process and calls over %s.\n", cfg.mode)
	}
	if len(cfg.customers) < cfg.parallel {
		fmt.Fprintf(out, "Updates of one customer follow one another: with %d of them, the other calls at once wait. More customers avoid that.\n", len(cfg.customers))
	}
}
