package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

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

// startGateway runs the gateway, on free ports and in front of the store at storeURL, until the test ends.
func startGateway(t testing.TB, storeURL string, args ...string) *process {
	t.Helper()
	binary, err := gatewayBinary()
	if err != nil {
		t.Fatal(err)
	}
	return startProcess(t, exec.CommandContext(context.WithoutCancel(t.Context()), binary), storeURL, args)
}

// startProcess runs a command that understands the flags of the gateway and logs its start.
func startProcess(t testing.TB, command *exec.Cmd, storeURL string, args []string) *process {
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
	p := &process{log: &lockedBuffer{}, ended: make(chan struct{}), command: command}
	command.Args = append(command.Args, "--store-url="+storeURL, "--grpc-addr=127.0.0.1:0", "--http-addr=127.0.0.1:0", "--admin-addr=127.0.0.1:0", "--log-format=json")
	command.Args = append(command.Args, args...)
	log, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(io.TeeReader(log, p.log))
	for p.grpcAddr == "" {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			break
		}
		p.readStart(line, slices.ContainsFunc(args, func(arg string) bool { return strings.HasPrefix(arg, "--tls-cert=") }))
	}
	go func() {
		_, _ = io.Copy(io.Discard, lines) // until the pipe is closed
		_ = command.Wait()
		close(p.ended)
	}()
	t.Cleanup(p.kill)
	if p.grpcAddr == "" {
		p.kill()
		t.Fatalf("the gateway did not start: %s", p.log)
	}
	p.conn, err = grpc.NewClient(p.grpcAddr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	p.customers = customerv1.NewCustomerServiceClient(p.conn)
	p.overJSON = jsonClient{url: p.jsonURL, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}}}
	return p
}

// readStart takes the addresses from a line of the log, if it is the line of the start.
func (p *process) readStart(line []byte, tls bool) {
	var start struct{ Msg, GRPC, HTTP, Admin string }
	if json.Unmarshal(line, &start) != nil || start.Msg != "started" {
		return
	}
	p.grpcAddr, p.jsonURL, p.adminURL = start.GRPC, "http://"+start.HTTP, "http://"+start.Admin
	if tls {
		p.jsonURL = "https://" + start.HTTP
	}
}

// kill ends the process at once, and waits until it has ended.
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

// anyTransport is a client of one of the two transports, at random.
func (p *process) anyTransport() customerv1.CustomerServiceClient {
	return pick([]customerv1.CustomerServiceClient{p.customers, p.overJSON})
}

// stop lets the process drain and end, and returns its exit code.
func (p *process) stop() int {
	_ = p.command.Process.Signal(syscall.SIGTERM)
	<-p.ended
	p.disconnect()
	return p.command.ProcessState.ExitCode()
}

// peakMemory is the peak memory of the process in MiB, as the kernel counts it.
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

// descriptors is the number of open files and connections of the process.
func (p *process) descriptors(t testing.TB) int {
	t.Helper()
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.command.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	return len(open)
}

// lockedBuffer is a log that tests read while the process writes it.
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
