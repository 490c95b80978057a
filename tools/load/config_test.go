package main

import (
	"errors"
	"flag"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestWrongArgumentsAreNamed(t *testing.T) {
	for _, row := range []struct {
		name, args, want string
	}{
		{"a mode that does not exist", "-mode=soap", "-mode=soap: must be grpc, http or grpcurl"},
		{"fewer than no calls", "-calls=-1", "-calls=-1: must be 1 to 1000000"},
		{"too many calls", "-calls=1000001", "-calls=1000001: must be 1 to 1000000"},
		{"too many calls at once", "-parallel=1001", "-parallel=1001: must be 1 to 1000"},
		{"too many processes at once", "-mode=grpcurl -parallel=257", "-parallel=257: must be 1 to 256"},
		{"a negative rate", "-rate=-1", "-rate=-1: must be 0 to 50000"},
		{"a rate that is no number", "-rate=NaN", "-rate=NaN: must be 0 to 50000"},
		{"a rate without a limit", "-rate=Inf", "-rate=+Inf: must be 0 to 50000"},
		{"a run that is too long", "-timeout=31m", "-timeout=31m0s: must be more than 0 and at most 30m0s"},
		{"a duration beyond the limit of the run", "-duration=1m -timeout=30s", "-duration=1m0s: must be less than -timeout, which is 30s"},
		{"a duration that is too long", "-duration=30m", "-duration=30m0s: must be less than -timeout, which is 30m0s"},
		{"a deadline of zero", "-deadline=0s", "-deadline=0s: must be more than 0"},
		{"a negative latency of the store", "-store-latency=-1s", "must not be negative"},
		{"a word", "more", `unexpected argument "more"`},
		{"customers that are no numbers", "-customers=a", "-customers=a: must be ids or ranges"},
		{"customer 0", "-customers=0", "-customers=0: must be ids or ranges"},
		{"a range that is reversed", "-customers=4-1", "-customers=4-1: must be ids or ranges"},
		{"a range that is too long", "-customers=1-2001", "at most 2000 customers"},
		{"ranges that are too long together", "-customers=1-2000,3000", "at most 2000 customers"},
		{"a range that overflows", "-customers=1-9223372036854775807", "at most 2000 customers"},
		{"a running gateway without customers", "-addr=127.0.0.1:1", "-addr needs -customers: the notes of these customers of its store are overwritten"},
		{"a store for a running gateway", "-addr=127.0.0.1:1 -customers=1 -store-workers=4", "-addr uses the store of that gateway"},
		{"a companion for a running gateway", "-addr=127.0.0.1:1 -customers=1 -store-companion", "-addr uses the store of that gateway"},
		{"flags for a running gateway", "-addr=127.0.0.1:1 -customers=1 -- --max-queue=1", "no gateway is started"},
		{"a token for no running gateway", "-token-file=t", "about a running gateway: give -addr"},
		{"permission without a host", "-addr=192.0.2.1:1 -customers=1 -allow-remote", "-allow-remote and -remote-host need each other"},
		{"a host without permission", "-addr=192.0.2.1:1 -customers=1 -remote-host=192.0.2.1", "-allow-remote and -remote-host need each other"},
		{"a token without TLS", "-addr=192.0.2.1:1 -customers=1 -allow-remote -remote-host=192.0.2.1 -token-file=t", "-token-file without -tls"},
		{"a certificate without a key", "-addr=127.0.0.1:1 -customers=1 -cert=c", "-cert and -key need each other"},
		{"an admin server without a scheme", "-addr=127.0.0.1:1 -customers=1 -admin=127.0.0.1:9091", "-admin=127.0.0.1:9091: must be a URL"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var stderr strings.Builder
			if _, err := parse(strings.Fields(row.args), &stderr); err == nil || !strings.Contains(stderr.String(), row.want) {
				t.Errorf("%s: %v, %q; want %q", row.args, err, stderr.String(), row.want)
			}
		})
	}
}

func TestAllFaultsAreNamedAtOnce(t *testing.T) {
	var stderr strings.Builder
	_, err := parse([]string{"-calls=-1", "-rate=-1", "-customers=x"}, &stderr)
	if err == nil || strings.Count(stderr.String(), "\n") != 3 {
		t.Errorf("%v, %q", err, stderr.String())
	}
	if _, err := parse([]string{"-h"}, io.Discard); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("-h: %v", err)
	}
}

func TestDefaultsDependOnTheMode(t *testing.T) {
	for _, row := range []struct {
		name, args string
		want       plan
		warmup     int
		timeout    time.Duration
	}{
		{"calls over gRPC", "", plan{calls: 10_000, parallel: 32}, 100, 2 * time.Minute},
		{"few calls", "-calls=5", plan{calls: 5, parallel: 32}, 1, 2 * time.Minute},
		{"processes", "-mode=grpcurl", plan{calls: 200, parallel: 8}, 1, 2 * time.Minute},
		{"a duration", "-duration=1m", plan{calls: maxCalls, parallel: 32, duration: time.Minute}, 100, 3 * time.Minute},
		{"an open loop", "-rate=100", plan{calls: 10_000, parallel: 512, rate: 100}, 100, 2 * time.Minute},
		{"the longest run", "-duration=29m", plan{calls: maxCalls, parallel: 32, duration: 29 * time.Minute}, 100, maxTimeout},
	} {
		t.Run(row.name, func(t *testing.T) {
			cfg, err := parse(strings.Fields(row.args), t.Output())
			if err != nil {
				t.Fatal(err)
			}
			if cfg.plan != row.want || cfg.warmup != row.warmup || cfg.timeout != row.timeout {
				t.Errorf("got %+v, warm-up %d, timeout %s", cfg.plan, cfg.warmup, cfg.timeout)
			}
		})
	}
}

func TestCustomersAreIDsAndRanges(t *testing.T) {
	for text, want := range map[string]string{"1,4": "1,4", "4, 1": "1,4", "5,1-3,2,4": "1-5", "7-7": "7", "1001-1032,9": "9,1001-1032"} {
		var f faults
		if got := ranges(f.customers(text, true, 0)); got != want || f != nil {
			t.Errorf("%q is %q, %v; want %q", text, got, f, want)
		}
	}
	var f faults
	if diff := cmp.Diff([]int64{1001, 1002, 1003}, f.customers("", false, 3)); diff != "" {
		t.Errorf("three calls at once: %s", diff)
	}
}

func TestFlagsBehindTwoDashesAreForTheGateway(t *testing.T) {
	cfg, err := parse([]string{"-calls=5", "--", "--max-in-flight=8", "--max-queue=9"}, t.Output())
	if diff := cmp.Diff([]string{"--max-in-flight=8", "--max-queue=9"}, cfg.gatewayFlags); err != nil || diff != "" {
		t.Errorf("%v, %s", err, diff)
	}
}
