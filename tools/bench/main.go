// Command bench compares what an update costs in the gateway with what it costs in code written by hand. Each program
// runs in a process of its own, and the operating system counts its CPU time: the clients and the store are not counted.
//
//	bench -gateway bin/fluentcart-gateway
//
// The baseline is a bare HTTP handler that does the same GET and PUT (bare.go). Only ratios of one run mean anything. It
// needs Linux, whose /proc it reads.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"
)

// The roles in which the program runs itself.
var roles = map[string]func(args []string, stdout io.Writer) error{
	"store":     serveStore,
	"collector": serveCollector,
	"bare":      serveBare,
	"vanguard":  serveVanguard,
	"load":      runLoad,
}

// limit bounds a run, so that it ends by itself.
const limit = 20 * time.Minute

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1) //nolint:gocritic // the process ends, and nothing needs stop any more
	}
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	if len(args) > 0 {
		if role := roles[args[0]]; role != nil {
			return role(args[1:], stdout)
		}
	}
	var b bench
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.StringVar(&b.gateway, "gateway", "bin/fluentcart-gateway", "the gateway `program`")
	flags.IntVar(&b.rounds, "rounds", 5, "how often each program is measured; the table shows medians")
	flags.IntVar(&b.calls, "calls", 10_000, "how many calls each measurement has")
	flags.BoolVar(&b.quick, "quick", false, "measure the CPU times only")
	check := flags.Bool("check", false, "fail if a program is far beyond its aim")
	flags.StringVar(&b.page, "write", "", "the `page` whose table is replaced; empty prints the table only")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if b.rounds < 1 || b.rounds > 100 || b.calls < 1000 || b.calls > 1_000_000 {
		return errors.New("-rounds must be 1 to 100, and -calls 1,000 to 1,000,000")
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	measured, err := b.measure(ctx)
	if err != nil {
		return err
	}
	table := measured.table()
	fmt.Fprint(stdout, table)
	if *check {
		return measured.check()
	}
	if b.page == "" {
		return nil
	}
	return replaceTable(b.page, table)
}
