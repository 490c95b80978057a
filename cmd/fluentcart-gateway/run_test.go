package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/encoding/protojson"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// startCommand runs the command until the test ends, and returns what it announced. It must end well.
func startCommand(t *testing.T, args ...string) string {
	t.Helper()
	read, write := io.Pipe()
	ctx, stop := context.WithCancel(context.Background())
	exit := make(chan int, 1)
	var stderr strings.Builder
	go func() {
		exit <- run(ctx, args, write, &stderr)
		_ = write.Close()
	}()
	var announced strings.Builder
	lines := bufio.NewScanner(read)
	for lines.Scan() {
		announced.WriteString(lines.Text() + "\n")
		if strings.HasPrefix(lines.Text(), "Ctrl-C") {
			break
		}
	}
	t.Cleanup(func() {
		stop()
		if code := <-exit; code != exitOK {
			t.Errorf("exit code %d: %s", code, stderr.String())
		}
	})
	return announced.String()
}

var sandboxOnFreePorts = []string{"--sandbox", "--grpc-addr=127.0.0.1:0", "--http-addr=127.0.0.1:0", "--admin-addr=127.0.0.1:0", "--sandbox-addr=localhost:0"}

// address finds what follows a word at the beginning of a line of the announcement.
func address(t *testing.T, announced, word string) string {
	t.Helper()
	found := regexp.MustCompile(`(?m)^` + word + ` +(\S+)$`).FindStringSubmatch(announced)
	if found == nil {
		t.Fatalf("no %s in:\n%s", word, announced)
	}
	return found[1]
}

// The lines that the sandbox prints work when they are pasted. grpcurl is not needed: what its line says is sent.
func TestPrintedLinesWork(t *testing.T) {
	announced := startCommand(t, sandboxOnFreePorts...)

	line := regexp.MustCompile(`grpcurl -plaintext -d '(.*)' (\S+) (\S+)`).FindStringSubmatch(announced)
	if line == nil {
		t.Fatalf("no grpcurl line in:\n%s", announced)
	}
	connection, err := grpc.NewClient(line[2], grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	request, response := &customerv1.UpdateCustomerRequest{}, &customerv1.UpdateCustomerResponse{}
	if err := protojson.Unmarshal([]byte(line[1]), request); err != nil {
		t.Fatal(err)
	}
	if err := connection.Invoke(t.Context(), "/"+line[3], request, response); err != nil || response.GetCustomer().GetCity() != "Lyon" {
		t.Errorf("got %v, %v", response, err)
	}

	for _, curl := range regexp.MustCompile(`(?m)^  (curl .*)$`).FindAllStringSubmatch(announced, -1) {
		if _, err := exec.LookPath("curl"); err != nil && os.Getenv("CI") == "" {
			t.Skip("curl is missing")
		}
		output, err := exec.CommandContext(t.Context(), "sh", "-c", curl[1]).Output()
		if err != nil || !strings.Contains(string(output), `"city":"Nice"`) {
			t.Errorf("%s\nanswers %s, %v", curl[1], output, err)
		}
	}
}

// The same binary, pointed at a store under a path of its own, writes there.
func TestStoreIsReachedWithItsCredentials(t *testing.T) {
	announced := startCommand(t, sandboxOnFreePorts...)
	store := address(t, announced, "sandbox")
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte(sandbox.AdminPassword+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("FLUENTCART_GATEWAY_STORE_PASSWORD_FILE", password)
	second := startCommand(t, "--store-url="+store, "--store-username="+sandbox.AdminUsername, "--grpc-addr=127.0.0.1:0", "--http-addr=[::1]:0", "--admin-addr=127.0.0.1:0")
	if !strings.Contains(second, store) || strings.Contains(second, "sand box") {
		t.Errorf("announced:\n%s", second)
	}

	door := address(t, second, "JSON")
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, door+"/v1/customers/4", strings.NewReader(`{"city":"Graz"}`))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct{ Data struct{ City string } }
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || response.StatusCode != http.StatusOK || answer.Data.City != "Graz" {
		t.Errorf("got %s, %+v, %v", response.Status, answer, err)
	}
}

func TestHealthcheckSaysWhetherAGatewayServes(t *testing.T) {
	addr := address(t, startCommand(t, sandboxOnFreePorts...), "gRPC")
	var out, errs strings.Builder
	if code := run(t.Context(), []string{"healthcheck", "--grpc-addr=" + addr}, &out, &errs); code != exitOK || out.String() != "serving\n" {
		t.Errorf("exit code %d: %s%s", code, out.String(), errs.String())
	}
	if code := run(t.Context(), []string{"healthcheck", "--grpc-addr=127.0.0.1:1"}, &out, &errs); code != exitFailed || !strings.Contains(errs.String(), "no answer from 127.0.0.1:1") {
		t.Errorf("exit code %d: %s", code, errs.String())
	}
}

func TestPortInUseIsSaid(t *testing.T) {
	announced := startCommand(t, sandboxOnFreePorts...)
	taken, alsoTaken := address(t, announced, "gRPC"), strings.TrimPrefix(address(t, announced, "JSON"), "http://")
	adminTaken := strings.TrimPrefix(address(t, announced, "admin"), "http://")
	var out, errs strings.Builder
	code := run(t.Context(), []string{"--sandbox", "--grpc-addr=" + taken, "--http-addr=" + alsoTaken, "--admin-addr=" + adminTaken, "--sandbox-addr=127.0.0.1:0"}, &out, &errs)
	if code != exitUsage || strings.Count(errs.String(), "stop what uses the port, or choose another") != 3 {
		t.Errorf("exit code %d: %s", code, errs.String())
	}
}
