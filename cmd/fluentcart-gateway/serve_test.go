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
	"slices"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/encoding/protojson"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// startCommand runs the command until the test ends, and returns its banner, or the line of its log that says where it
// serves, as address reads it. Its exit code must be 0.
func startCommand(t *testing.T, args ...string) string {
	t.Helper()
	read, write := io.Pipe()
	ctx, stop := context.WithCancel(context.Background())
	exit := make(chan int, 1)
	var stdout lockedBuilder
	var stderr lockedBuilder
	go func() {
		exit <- run(ctx, args, &stdout, io.MultiWriter(&stderr, write))
		_ = write.Close()
	}()
	lines := bufio.NewReader(read)
	started := ""
	for started == "" {
		line, err := lines.ReadString('\n')
		if err != nil {
			break
		}
		if strings.Contains(line, " msg=started ") {
			started = line
		}
	}
	go func() { _, _ = io.Copy(io.Discard, lines) }() // until the command ends
	t.Cleanup(func() {
		stop()
		if code := <-exit; code != exitOK {
			t.Errorf("exit code %d: %s", code, stderr.String())
		}
	})
	if banner := stdout.String(); banner != "" {
		return banner
	}
	return started
}

// lockedBuilder is an output that a test reads while the command writes it.
type lockedBuilder struct {
	mu  sync.Mutex
	out strings.Builder
}

func (b *lockedBuilder) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.out.Write(p)
}

func (b *lockedBuilder) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.out.String()
}

var sandboxOnFreePorts = []string{"--sandbox", "--grpc-addr=127.0.0.1:0", "--http-addr=127.0.0.1:0", "--admin-addr=127.0.0.1:0", "--sandbox-addr=localhost:0"}

// address returns the address in the line of the banner that begins with word, or that of the line "started".
func address(t *testing.T, banner, word string) string {
	t.Helper()
	if strings.Contains(banner, " msg=started ") {
		key := map[string]string{"gRPC": "grpc", "JSON": "http", "admin": "admin"}[word]
		found := regexp.MustCompile(` ` + key + `=(\S+)`).FindStringSubmatch(banner)
		if found == nil {
			t.Fatalf("no %s in:\n%s", key, banner)
		}
		if word == "gRPC" {
			return found[1]
		}
		return "http://" + found[1]
	}
	found := regexp.MustCompile(`(?m)^` + word + ` +(\S+)$`).FindStringSubmatch(banner)
	if found == nil {
		t.Fatalf("no %s in:\n%s", word, banner)
	}
	return found[1]
}

// The lines that --sandbox prints work when they are pasted. grpcurl is not needed: the test sends the request of its line.
func TestPrintedLinesWork(t *testing.T) {
	banner := startCommand(t, sandboxOnFreePorts...)

	line := regexp.MustCompile(`grpcurl -plaintext -d '(.*)' (\S+) (\S+)`).FindStringSubmatch(banner)
	if line == nil {
		t.Fatalf("no grpcurl line in:\n%s", banner)
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

	for _, curl := range regexp.MustCompile(`(?m)^  (curl .*)$`).FindAllStringSubmatch(banner, -1) {
		if _, err := exec.LookPath("curl"); err != nil && os.Getenv("CI") == "" {
			t.Skip("curl is missing")
		}
		output, err := exec.CommandContext(t.Context(), "sh", "-c", curl[1]).Output()
		if err != nil || !strings.Contains(string(output), `"city":"Nice"`) {
			t.Errorf("%s\nanswers %s, %v", curl[1], output, err)
		}
	}
}

// The calls at the top of docs/sandbox.md work when they are pasted.
func TestDocumentedFaultIsInjected(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil && os.Getenv("CI") == "" {
		t.Skip("curl is missing")
	}
	_, block, _ := strings.Cut(readDoc(t, "docs/sandbox.md"), "```sh\nfluentcart-gateway --sandbox\n")
	script, _, _ := strings.Cut(block, "```")
	banner := startCommand(t, sandboxOnFreePorts...)
	script = strings.NewReplacer("http://127.0.0.1:8081", address(t, banner, "sandbox"), "http://127.0.0.1:8080", address(t, banner, "JSON")).Replace(script)
	output, err := exec.CommandContext(t.Context(), "sh", "-ec", script).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	want := regexp.MustCompile(`# ([0-9]+)`).FindAllStringSubmatch(script, -1)
	got := regexp.MustCompile(`HTTP/1.1 ([0-9]+)`).FindAllStringSubmatch(string(output), -1)
	if len(want) != 2 || len(got) != 2 || want[0][1] != got[0][1] || want[1][1] != got[1][1] {
		t.Errorf("got %v, want %v:\n%s", got, want, output)
	}
}

// The calls of the companion in docs/sandbox.md work when they are pasted.
func TestDocumentedCompanionIsActivated(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil && os.Getenv("CI") == "" {
		t.Skip("curl is missing")
	}
	_, section, _ := strings.Cut(readDoc(t, "docs/sandbox.md"), "## The companion\n")
	_, block, _ := strings.Cut(section, "```sh\n")
	script, _, _ := strings.Cut(block, "```")
	store := address(t, startCommand(t, sandboxOnFreePorts...), "sandbox")
	script = strings.ReplaceAll(script, "http://127.0.0.1:8081", store)
	output, err := exec.CommandContext(t.Context(), "sh", "-ec", script).Output()
	if err != nil || !strings.Contains(string(output), `"result":"applied"`) {
		t.Errorf("%s\nanswers %s, %v", script, output, err)
	}
}

func TestSandboxStoreHasTheCompanionAsTheFlagSays(t *testing.T) {
	tests := []struct {
		name  string
		flags []string
		want  int // of the companion's index
	}{
		{"without the flag", nil, http.StatusNotFound},
		{"with the flag", []string{"--sandbox-companion"}, http.StatusOK},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			store := address(t, startCommand(t, append(slices.Clone(sandboxOnFreePorts), tt.flags...)...), "sandbox")
			if got := statusOf(t, http.MethodGet, store+"/wp-json/fluentcart-gateway/v1", "", nil); got != tt.want {
				t.Errorf("status %d, want %d", got, tt.want)
			}
		})
	}
}

// The gateway's own ports set no faults: only the sandbox store's port does.
func TestFaultsCannotBeSetAtTheGateway(t *testing.T) {
	banner := startCommand(t, sandboxOnFreePorts...)
	for _, port := range []string{"JSON", "admin"} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address(t, banner, port)+"/sandbox/faults", strings.NewReader(`{"fault":"down"}`))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if response.StatusCode < http.StatusBadRequest {
			t.Errorf("%s: %s", port, response.Status)
		}
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address(t, banner, "sandbox")+"/sandbox/faults", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var shown struct{ Set, Known []json.RawMessage }
	if err := json.NewDecoder(response.Body).Decode(&shown); err != nil || len(shown.Set) > 0 || len(shown.Known) == 0 {
		t.Errorf("%s: %d faults are set, and %d known, %v", response.Status, len(shown.Set), len(shown.Known), err)
	}
}

// The same binary, with the address of a store, writes there.
func TestStoreIsReachedWithItsCredentials(t *testing.T) {
	banner := startCommand(t, sandboxOnFreePorts...)
	store := address(t, banner, "sandbox")
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte(sandbox.AdminPassword+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("FLUENTCART_GATEWAY_STORE_PASSWORD_FILE", password)
	second := startCommand(t, "--store-url="+store, "--store-username="+sandbox.AdminUsername, "--grpc-addr=127.0.0.1:0", "--http-addr=[::1]:0", "--admin-addr=127.0.0.1:0")
	if !strings.Contains(second, store) || strings.Contains(second, "sand box") {
		t.Errorf("printed:\n%s", second)
	}

	gateway := address(t, second, "JSON")
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, gateway+"/v1/customers/4", strings.NewReader(`{"city":"Graz"}`))
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

func TestPortInUseIsReported(t *testing.T) {
	banner := startCommand(t, sandboxOnFreePorts...)
	taken, alsoTaken := address(t, banner, "gRPC"), strings.TrimPrefix(address(t, banner, "JSON"), "http://")
	adminTaken := strings.TrimPrefix(address(t, banner, "admin"), "http://")
	var out, errs strings.Builder
	code := run(t.Context(), []string{"--sandbox", "--grpc-addr=" + taken, "--http-addr=" + alsoTaken, "--admin-addr=" + adminTaken, "--sandbox-addr=127.0.0.1:0"}, &out, &errs)
	if code != exitUsage || strings.Count(errs.String(), "stop the program that uses the port, or choose a different port") != 3 {
		t.Errorf("exit code %d: %s", code, errs.String())
	}
}

// Dangerous flags cause a warning on the terminal and in the log.
func TestDangerousFlagsCauseWarnings(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	if code, printed := token(t, "--token-file="+path, "orders"); code != exitOK {
		t.Fatal(printed)
	}
	for name, row := range map[string]struct {
		args  []string
		wants string
	}{
		"callers without authentication": {[]string{"--grpc-addr=0.0.0.0:0", "--allow-unauthenticated"}, "--allow-unauthenticated lets everyone"},
		"tokens without TLS":             {[]string{"--grpc-addr=0.0.0.0:0", "--caller-auth=token", "--token-file=" + path}, "callers send their credentials without TLS"},
		"a sandbox store for others":     {[]string{"--sandbox-addr=0.0.0.0:0", "--allow-unauthenticated"}, "everyone who can reach this machine can change the customers of the sandbox store"},
		"links":                          {[]string{"--allow-user-link"}, "--allow-user-link lets callers take over WordPress accounts"},
		"no danger":                      {nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			banner := startCommand(t, append(slices.Clone(sandboxOnFreePorts), row.args...)...)
			if row.wants == "" && strings.Contains(banner, "Warning") || row.wants != "" && !strings.Contains(banner, "Warning: "+row.wants) {
				t.Errorf("banner:\n%s", banner)
			}
		})
	}
}
