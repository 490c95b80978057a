package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// config holds the command line.
type config struct {
	grpcurl, gateway string
	addr             string
	allowRemote      bool
	calls, parallel  int
	customers        []int64
	timeout          time.Duration
}

// The bounds of a run, so that it ends without being stopped.
const (
	maxCalls    = 100_000
	maxParallel = 256
	maxTimeout  = 30 * time.Minute
)

// parse reads the command line. It writes all faults to stderr, and returns them.
func parse(args []string, stderr io.Writer) (config, error) {
	var cfg config
	customers := ""
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&cfg.grpcurl, "grpcurl", "grpcurl", "the grpcurl `program`")
	flags.StringVar(&cfg.gateway, "gateway", "fluentcart-gateway", "the gateway `program`, started with --sandbox if there is no -addr")
	flags.StringVar(&cfg.addr, "addr", "", "`host:port` of a running gateway; empty starts a sandbox")
	flags.BoolVar(&cfg.allowRemote, "allow-remote", false, "send to an address that is not on this machine")
	flags.IntVar(&cfg.calls, "calls", 200, "how many calls to send")
	flags.IntVar(&cfg.parallel, "parallel", 8, "how many grpcurl processes at once")
	flags.StringVar(&customers, "customers", "1,4", "`ids` of the customers to update; their notes are overwritten")
	flags.DurationVar(&cfg.timeout, "timeout", 2*time.Minute, "limit for the whole run")
	if err := flags.Parse(args); err != nil {
		return config{}, err
	}

	var faults []error
	check := func(ok bool, format string, values ...any) {
		if !ok {
			faults = append(faults, fmt.Errorf(format, values...))
		}
	}
	check(flags.NArg() == 0, "unexpected argument %q: all arguments must be flags", flags.Args())
	check(cfg.calls >= 1 && cfg.calls <= maxCalls, "-calls=%d: must be 1 to %d", cfg.calls, maxCalls)
	check(cfg.parallel >= 1 && cfg.parallel <= maxParallel, "-parallel=%d: must be 1 to %d", cfg.parallel, maxParallel)
	check(cfg.timeout > 0 && cfg.timeout <= maxTimeout, "-timeout=%s: must be more than 0 and at most %s", cfg.timeout, maxTimeout)
	for text := range strings.SplitSeq(customers, ",") {
		id, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
		check(err == nil && id > 0, "-customers=%s: must be customer ids, separated by commas", customers)
		cfg.customers = append(cfg.customers, id)
	}
	err := errors.Join(faults...)
	if err != nil {
		fmt.Fprintln(stderr, err)
	}
	return cfg, err
}
