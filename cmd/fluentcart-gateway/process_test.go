package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// asGateway makes the test binary a gateway: its value is what is sabotaged in it, or "no".
const asGateway = "GATEWAY_PROCESS_SABOTAGE"

// TestMain lets the tests start gateways as processes of their own, which can be killed. Afterwards nothing may run.
func TestMain(m *testing.M) {
	if sabotaged, ok := os.LookupEnv(asGateway); ok {
		os.Exit(runAsGateway(sabotaged)) //nolint:forbidigo // it stands in for main
	}
	if crowd, ok := os.LookupEnv(asCrowd); ok {
		os.Exit(runAsCrowd(crowd, os.Stdout)) //nolint:forbidigo // as above
	}
	if flood, ok := os.LookupEnv(asFlood); ok {
		os.Exit(runAsFlood(flood, os.Stdout)) //nolint:forbidigo // as above
	}
	goleak.VerifyTestMain(m)
}

func runAsGateway(sabotaged string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM) //nolint:forbidigo // as above
	defer stop()
	silence()
	line := &commands{}
	line.sabotage = sabotages[sabotaged]
	return line.run(ctx, os.Args[1:], os.Stdout, os.Stderr)
}

// process is a gateway in a process of its own.
type process struct {
	customers customerv1.CustomerServiceClient
	overJSON  jsonClient
	conn      *grpc.ClientConn
	grpcAddr  string
	jsonURL   string
	adminURL  string

	command *exec.Cmd
	log     *lockedBuffer
	ended   chan struct{}
}

// startProcess runs a gateway until the test ends, in front of the store at storeURL.
func startProcess(t testing.TB, sabotage, storeURL string, args ...string) *process {
	t.Helper()
	p, err := tryStartProcess(t, sabotage, storeURL, args...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func tryStartProcess(t testing.TB, sabotage, storeURL string, args ...string) (*process, error) {
	t.Helper()
	given := func(flag string) bool {
		return slices.ContainsFunc(args, func(arg string) bool { return strings.HasPrefix(arg, "--"+flag+"=") })
	}
	if account := !slices.Contains(args, "--caller-auth=store"); account && !given("store-username") {
		args = append(args, "--store-username="+sandbox.AdminUsername)
		if !given("store-password-file") {
			args = append(args, "--store-password-file="+writeFile(t, "password", sandbox.AdminPassword))
		}
	}
	args = append([]string{"--store-url=" + storeURL, "--grpc-addr=127.0.0.1:0", "--http-addr=127.0.0.1:0", "--admin-addr=127.0.0.1:0", "--log-format=json"}, args...)
	p := &process{log: &lockedBuffer{}, ended: make(chan struct{})}
	p.command = exec.CommandContext(context.WithoutCancel(t.Context()), os.Args[0], args...)
	p.command.Env = append(os.Environ(), asGateway+"="+sabotage)
	p.command.Stderr = p.log
	announced, err := p.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.command.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(announced)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "Ctrl-C") {
		word, rest, _ := strings.Cut(lines.Text(), " ")
		switch word {
		case "gRPC":
			p.grpcAddr = strings.TrimSpace(rest)
		case "JSON":
			p.jsonURL = strings.TrimSpace(rest)
		case "admin":
			p.adminURL = strings.TrimSpace(rest)
		}
	}
	go func() {
		for lines.Scan() { // until the pipe is closed
		}
		_ = p.command.Wait()
		close(p.ended)
	}()
	t.Cleanup(p.kill)
	if p.grpcAddr == "" {
		return nil, fmt.Errorf("the gateway did not start: %s", p.log)
	}
	p.conn, err = grpc.NewClient(p.grpcAddr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, err
	}
	p.customers = customerv1.NewCustomerServiceClient(p.conn)
	p.overJSON = jsonClient{url: p.jsonURL, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}}}
	return p, nil
}

// writeFile writes a file that nobody else can read, and returns its path.
func writeFile(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// kill ends the process at once, and waits until it is gone.
func (p *process) kill() {
	_ = p.command.Process.Kill() // it may have ended by itself
	<-p.ended
	p.disconnect()
}

func (p *process) disconnect() {
	if p.conn != nil {
		_ = p.conn.Close()
		p.overJSON.http.CloseIdleConnections()
	}
}

// door is one of the two, at random.
func (p *process) door() customerv1.CustomerServiceClient {
	return pick([]customerv1.CustomerServiceClient{p.customers, p.overJSON})
}

// stop lets the process end by itself, and returns its exit code.
func (p *process) stop() int {
	_ = p.command.Process.Signal(syscall.SIGTERM)
	<-p.ended
	p.disconnect()
	return p.command.ProcessState.ExitCode()
}

// peakMemory is the most memory that the process had at a time, in MiB, as the kernel counts it.
func (p *process) peakMemory(t testing.TB) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.command.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := bytes.Cut(status, []byte("VmHWM:"))
	kilobytes, err := strconv.Atoi(string(bytes.Fields(rest)[0]))
	if err != nil {
		t.Fatal(err)
	}
	return kilobytes >> 10
}

// descriptors is how many files and connections the process has open.
func (p *process) descriptors(t testing.TB) int {
	t.Helper()
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.command.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	return len(open)
}

// lockedBuffer is a log that may be read while it is written.
type lockedBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

// soaking skips a test that takes long, unless `make soak` runs it. It returns whether it is the long form.
func soaking(t testing.TB) (long bool) {
	t.Helper()
	switch os.Getenv("SOAK") {
	case "short":
		return false
	case "long":
		return true
	}
	t.Skip("it takes long; `make soak` runs it, and CI does in a short form")
	return false
}

// waitFor waits for a condition to come true.
func waitFor(t testing.TB, within time.Duration, condition func() bool) bool {
	t.Helper()
	again := time.NewTicker(2 * time.Millisecond)
	defer again.Stop()
	for end := time.Now().Add(within); !condition(); <-again.C {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}
