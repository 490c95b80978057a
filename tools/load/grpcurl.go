package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
)

const method = "fluentcart.customer.v1.CustomerService/UpdateCustomer"

// newGrpcurlCaller calls by grpcurl, a process for each call. The token is in the environment, which other users cannot read.
func newGrpcurlCaller(cfg config, addr, authorization string) (*caller, error) {
	program, err := exec.LookPath(cfg.grpcurl)
	if err != nil {
		return nil, fmt.Errorf("-grpcurl=%s: %w; `make load` builds it", cfg.grpcurl, err)
	}
	args := []string{fmt.Sprintf("-max-time=%g", max(cfg.deadline.Seconds(), 0.001))}
	if !cfg.tls {
		args = append(args, "-plaintext")
	}
	for flag, file := range map[string]string{"-cacert": cfg.cacert, "-cert": cfg.cert, "-key": cfg.key} {
		if file != "" {
			args = append(args, flag, file)
		}
	}
	environment := os.Environ()
	if authorization != "" {
		args = append(args, "-expand-headers", "-H", "authorization: ${LOAD_AUTHORIZATION}")
		environment = append(environment, "LOAD_AUTHORIZATION="+authorization)
	}
	call := func(ctx context.Context, u update) (outcome, string) {
		request := fmt.Sprintf(`{"customer_id":%d,"customer":{"notes":%q}}`, u.customer, u.notes)
		process := exec.CommandContext(ctx, program, append(args[:len(args):len(args)], "-d", request, addr, method)...) //nolint:gosec // the program that the command line names
		process.Env, process.SysProcAttr, process.WaitDelay = environment, ownGroup(), time.Second
		var stdout, stderr bytes.Buffer
		process.Stdout, process.Stderr = &stdout, &stderr
		err := process.Run()
		return grpcurlOutcome(err, stdout.Bytes(), stderr.String(), u.notes)
	}
	return &caller{call: call, close: func() {}, extra: time.Second}, nil
}

// grpcurlOutcome reads grpcurl's result. Its exit code is 64 plus the gRPC code, and it prints the ErrorInfo among the details.
func grpcurlOutcome(err error, stdout []byte, stderr, notes string) (outcome, string) {
	var exit *exec.ExitError
	switch {
	case err == nil:
		var response struct{ Data struct{ Notes string } }
		err := json.Unmarshal(stdout, &response)
		return okOutcome(err == nil && response.Data.Notes == notes), ""
	case !errors.As(err, &exit):
		return outcome{Code: noResponse}, err.Error()
	case exit.ExitCode() <= 64 || exit.ExitCode() > 64+16:
		return outcome{Code: noResponse}, strings.TrimSpace(stderr)
	}
	message, info := "", &errdetails.ErrorInfo{Metadata: map[string]string{}}
	for line := range strings.Lines(stderr) {
		line = strings.TrimSuffix(strings.TrimSpace(line), ",")
		if text, ok := strings.CutPrefix(line, "Message: "); ok {
			message = text
		}
		if quoted, ok := strings.CutPrefix(line, `"reason": `); ok {
			info.Reason = strings.Trim(quoted, `"`)
		}
		if quoted, ok := strings.CutPrefix(line, `"write_state": `); ok {
			info.Metadata["write_state"] = strings.Trim(quoted, `"`)
		}
	}
	return errorOutcome(int32(exit.ExitCode()-64), info), message //nolint:gosec // 1 to 16
}
