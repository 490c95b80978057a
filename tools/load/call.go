package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

const method = "fluentcart.customer.v1.CustomerService/UpdateCustomer"

// result is the result of one call.
type result struct {
	outcome string // OK, or the gRPC code and the reason of the ErrorInfo
	took    time.Duration
}

// call runs one grpcurl process. Each call writes a different note, so that the store is written each time.
func call(ctx context.Context, cfg config, addr string, number int) result {
	customer := cfg.customers[number%len(cfg.customers)]
	request := fmt.Sprintf(`{"customer_id":%d,"customer":{"notes":"load %d"}}`, customer, number)
	process := exec.CommandContext(ctx, cfg.grpcurl, "-plaintext", "-max-time", "30", "-d", request, addr, method) //nolint:gosec // the program that the command line names
	var output bytes.Buffer
	process.Stdout, process.Stderr = &output, &output
	start := time.Now()
	err := process.Run()
	return result{outcomeOf(err, output.String()), time.Since(start)}
}

// outcomeOf reads grpcurl's result. Its exit code is 64 plus the gRPC code, and it prints the ErrorInfo among the details.
func outcomeOf(err error, output string) string {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return "OK"
	case !errors.As(err, &exit):
		return "grpcurl did not start"
	case exit.ExitCode() <= 64 || exit.ExitCode() > 64+16:
		return "grpcurl failed"
	}
	code, reason := "code "+strconv.Itoa(exit.ExitCode()-64), ""
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "Code: "); ok {
			code = name
		}
		if quoted, ok := strings.CutPrefix(strings.TrimSuffix(line, ","), `"reason": `); ok {
			reason = " " + strings.Trim(quoted, `"`)
		}
	}
	return code + reason
}
