package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// The modes: how calls are made.
const (
	modeGRPC    = "grpc"
	modeHTTP    = "http"
	modeGrpcurl = "grpcurl"
)

// config holds the command line.
type config struct {
	mode    string
	grpcurl string

	// The gateway that is loaded: one that is started here with a sandbox store, or a running one.
	gateway        string
	gatewayFlags   []string
	storeWorkers   int
	storeLatency   time.Duration
	storeCompanion bool
	target

	plan
	deadline  time.Duration
	timeout   time.Duration
	warmup    int
	customers []int64
	allow     []string
	json      bool
}

// The bounds of a run, so that it ends without being stopped.
const (
	maxCalls     = 1_000_000
	maxRate      = 50_000
	maxParallel  = 1_000
	maxProcesses = 256
	maxCustomers = 2_000
	maxTimeout   = 30 * time.Minute
)

// parse reads the command line. It writes all faults to stderr, and returns them.
func parse(args []string, stderr io.Writer) (config, error) {
	var cfg config
	var customers, allow string
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(stderr, "load [flags] [-- flags of the gateway that it starts]\n\n")
		flags.PrintDefaults()
	}
	flags.StringVar(&cfg.mode, "mode", modeGRPC, "`how` calls are made: grpc or http, by clients in this process, or grpcurl, a process each")
	flags.StringVar(&cfg.grpcurl, "grpcurl", "grpcurl", "the grpcurl `program`, for -mode=grpcurl")

	flags.IntVar(&cfg.calls, "calls", 0, "the most calls to send; 0 is 10,000 (200 with grpcurl), or the maximum if -duration is given")
	flags.DurationVar(&cfg.duration, "duration", 0, "how long to send calls; 0 is until -calls are sent")
	flags.Float64Var(&cfg.rate, "rate", 0, "open loop: `calls a second`; 0 is a closed loop of -parallel workers")
	flags.IntVar(&cfg.parallel, "parallel", 0, "the most calls at once; 0 is 32 (512 with -rate, 8 with grpcurl)")
	flags.IntVar(&cfg.warmup, "warmup", 0, "`calls` before the measurement; 0 is a tenth of -calls and at most 100 (1 with grpcurl)")
	flags.DurationVar(&cfg.deadline, "deadline", 30*time.Second, "deadline of each call")
	flags.DurationVar(&cfg.timeout, "timeout", 0, "limit for the whole run; 0 is 2m more than -duration")
	flags.StringVar(&customers, "customers", "", "`ids` of the customers whose notes are overwritten, such as 1,4 or 1001-1032")
	flags.StringVar(&allow, "allow", "", "`reasons or codes`, separated by commas, that are no failure of the run, such as OVERLOADED")
	flags.BoolVar(&cfg.json, "json", false, "print the result as JSON")

	flags.StringVar(&cfg.gateway, "gateway", "fluentcart-gateway", "the gateway `program`, started in front of a sandbox store if there is no -addr")
	flags.IntVar(&cfg.storeWorkers, "store-workers", 0, "how many requests the sandbox store works on at once; 0 is no limit")
	flags.DurationVar(&cfg.storeLatency, "store-latency", 0, "how long each request occupies a worker of the sandbox store")
	flags.BoolVar(&cfg.storeCompanion, "store-companion", false, "give the sandbox store the WordPress companion, by which a gateway updates a customer in one request")
	cfg.addFlags(flags)
	if err := flags.Parse(args); err != nil {
		return config{}, err
	}
	cfg.gatewayFlags = flags.Args()

	var faults faults
	cfg.setDefaults()
	cfg.customers = faults.customers(customers, cfg.addr != "", cfg.parallel)
	if allow != "" {
		cfg.allow = strings.Split(allow, ",")
	}
	cfg.validate(&faults)
	cfg.target.validate(&faults)
	err := errors.Join(faults...)
	if err != nil {
		fmt.Fprintln(stderr, err)
	}
	return cfg, err
}

func (cfg *config) setDefaults() {
	set := func(value *int, usual, grpcurl int) {
		switch {
		case *value != 0:
		case cfg.mode == modeGrpcurl:
			*value = grpcurl
		default:
			*value = usual
		}
	}
	if cfg.calls == 0 && cfg.duration > 0 {
		cfg.calls = maxCalls
	}
	set(&cfg.calls, 10_000, 200)
	set(&cfg.warmup, max(min(cfg.calls/10, 100), 1), 1)
	if cfg.rate > 0 {
		set(&cfg.parallel, 512, maxProcesses/4)
	}
	set(&cfg.parallel, 32, 8)
	if cfg.timeout == 0 {
		cfg.timeout = min(cfg.duration+2*time.Minute, maxTimeout)
	}
}

func (cfg *config) validate(f *faults) {
	parallel := maxParallel
	if cfg.mode == modeGrpcurl {
		parallel = maxProcesses
	}
	f.check(slices.Contains([]string{modeGRPC, modeHTTP, modeGrpcurl}, cfg.mode), "-mode=%s: must be grpc, http or grpcurl", cfg.mode)
	f.check(cfg.calls >= 1 && cfg.calls <= maxCalls, "-calls=%d: must be 1 to %d", cfg.calls, maxCalls)
	f.check(cfg.warmup >= 1 && cfg.warmup <= maxCalls, "-warmup=%d: must be 1 to %d", cfg.warmup, maxCalls)
	f.check(cfg.rate >= 0 && cfg.rate <= maxRate, "-rate=%g: must be 0 to %d", cfg.rate, maxRate)
	f.check(cfg.parallel >= 1 && cfg.parallel <= parallel, "-parallel=%d: must be 1 to %d", cfg.parallel, parallel)
	f.check(cfg.timeout > 0 && cfg.timeout <= maxTimeout, "-timeout=%s: must be more than 0 and at most %s", cfg.timeout, maxTimeout)
	f.check(cfg.duration >= 0 && cfg.duration < cfg.timeout, "-duration=%s: must be less than -timeout, which is %s", cfg.duration, cfg.timeout)
	f.check(cfg.deadline > 0 && cfg.deadline <= maxTimeout, "-deadline=%s: must be more than 0 and at most %s", cfg.deadline, maxTimeout)
	f.check(cfg.storeWorkers >= 0 && cfg.storeLatency >= 0, "-store-workers and -store-latency must not be negative")
	if cfg.addr != "" {
		f.check(cfg.storeWorkers == 0 && cfg.storeLatency == 0 && !cfg.storeCompanion,
			"-store-workers, -store-latency and -store-companion are about the sandbox store; -addr uses the store of that gateway")
		f.check(len(cfg.gatewayFlags) == 0, "unexpected argument %q: with -addr, no gateway is started to which it could be passed", cfg.gatewayFlags)
	} else if len(cfg.gatewayFlags) > 0 {
		f.check(strings.HasPrefix(cfg.gatewayFlags[0], "-"), "unexpected argument %q: all arguments must be flags, and behind -- flags of the gateway", cfg.gatewayFlags[0])
	}
}

// faults are all faults of a command line.
type faults []error

func (f *faults) check(ok bool, format string, values ...any) {
	if !ok {
		*f = append(*f, fmt.Errorf(format, values...))
	}
}
