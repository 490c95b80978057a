package main

import (
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
	"time"
)

func TestPercentile(t *testing.T) {
	hundred := make([]time.Duration, 100)
	for i := range hundred {
		hundred[i] = time.Duration(i + 1)
	}
	for _, row := range []struct {
		sorted  []time.Duration
		percent int
		want    time.Duration
	}{
		{hundred, 0, 1},
		{hundred, 50, 50},
		{hundred, 99, 99},
		{hundred, 100, 100},
		{[]time.Duration{7}, 50, 7},
		{[]time.Duration{1, 2, 3}, 50, 2},
		{[]time.Duration{1, 2, 3}, 90, 3},
	} {
		if got := percentile(row.sorted, row.percent); got != row.want {
			t.Errorf("p%d of %d values is %d, want %d", row.percent, len(row.sorted), got, row.want)
		}
	}
}

func TestOutcomeIsReadFromGrpcurlsOutput(t *testing.T) {
	printed := "ERROR:\n  Code: NotFound\n  Message: the store has no customer 99\n  Details:\n  1)\t{\n    \t  \"domain\": \"fluentcart-gateway\",\n    \t  \"reason\": \"CUSTOMER_NOT_FOUND\"\n    \t}\n"
	for _, row := range []struct {
		name, script, output, want string
	}{
		{"success", "exit 0", "{}", "OK"},
		{"a status with a reason", "exit 69", printed, "NotFound CUSTOMER_NOT_FOUND"},
		{"a status without a reason", "exit 78", "ERROR:\n  Code: Unavailable\n  Message: x\n", "Unavailable"},
		{"a status without output", "exit 78", "", "code 14"},
		{"a grpcurl that could not connect", "exit 1", "Failed to dial", "grpcurl failed"},
	} {
		t.Run(row.name, func(t *testing.T) {
			err := exec.CommandContext(t.Context(), "sh", "-c", row.script).Run()
			if got := outcomeOf(err, row.output); got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
	if got := outcomeOf(errors.New("no such file"), ""); got != "grpcurl did not start" {
		t.Errorf("got %q", got)
	}
}

func TestOnlyLoopbackAddressesAreAllowed(t *testing.T) {
	for addr, allowed := range map[string]bool{
		"127.0.0.1:9090": true, "[::1]:9090": true, "localhost:9090": true, "192.0.2.1:9090": false, "9090": false,
	} {
		if err := checkLoopback(t.Context(), addr); (err == nil) != allowed {
			t.Errorf("%s: %v", addr, err)
		}
	}
}

func TestArgumentsOutOfBoundsAreRejected(t *testing.T) {
	if cfg, err := parse([]string{"-customers", "1, 4"}, io.Discard); err != nil || len(cfg.customers) != 2 {
		t.Errorf("got %+v, %v", cfg, err)
	}
	for _, args := range []string{"-calls=0", "-calls=100001", "-parallel=0", "-parallel=257", "-timeout=0s", "-timeout=1h", "-customers=a", "-customers=0", "more"} {
		var stderr strings.Builder
		if _, err := parse(strings.Fields(args), &stderr); err == nil || stderr.Len() == 0 {
			t.Errorf("%s is accepted: %v, %q", args, err, stderr.String())
		}
	}
}

func TestTableShowsCallsCodesAndLatencies(t *testing.T) {
	var out strings.Builder
	table(&out, []result{{"OK", 20 * time.Millisecond}, {"OK", 40 * time.Millisecond}, {"Unavailable STORE_UNAVAILABLE", time.Second}}, 2*time.Second)
	words := strings.Join(strings.Fields(out.String()), " ")
	for _, part := range []string{"calls 3", "calls a second 1.5", "OK 2", "Unavailable STORE_UNAVAILABLE 1", "p50 40ms", "max 1s"} {
		if !strings.Contains(words, part) {
			t.Errorf("no %q in:\n%s", part, out.String())
		}
	}
	table(&out, nil, time.Second)
}
