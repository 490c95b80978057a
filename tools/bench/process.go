package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/prometheus/procfs"
)

// The account of the gateway in the store, which accepts any.
const username, password = "gateway", "application password"

// The token of the callers.
const token = "bench-bench-bench-bench-bench-bench" //nolint:gosec // of a gateway that lives for minutes, on loopback

// processes are the running programs, and a directory for their files.
type processes struct {
	directory string
	running   []*process

	environment []string // of the programs; nil is that of this process
}

// process is a running program.
type process struct {
	grpc  string // the address of the gRPC server, of the gateway only
	json  string // the URL of the HTTP server
	admin string // the URL of the admin server, of the gateway only

	command *exec.Cmd
	stdin   io.Closer
	log     *os.File
}

func newProcesses() (*processes, error) {
	directory, err := os.MkdirTemp("", "bench")
	return &processes{directory: directory}, err
}

// stop ends all processes, and removes their files.
func (p *processes) stop() {
	for _, running := range p.running {
		_ = running.stdin.Close() // a role ends with its standard input
		_ = running.command.Process.Kill()
		_ = running.command.Wait()
		_ = running.log.Close()
	}
	_ = os.RemoveAll(p.directory)
}

// self starts this program in a role, and waits until it serves.
func (p *processes) self(ctx context.Context, args ...string) (*process, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return p.start(ctx, program, args...)
}

// The write modes: an update is a GET and a PUT, or one request to the companion.
const modeMerge, modeAtomic = "merge", "atomic"

// startGateway starts a gateway with everything on: it authenticates its callers, and writes its log at level info to a
// file.
func (p *processes) startGateway(ctx context.Context, program, store, mode string, args ...string) (*process, error) {
	passwords, tokens := filepath.Join(p.directory, "password"), filepath.Join(p.directory, "tokens")
	if err := os.WriteFile(passwords, []byte(password), 0o600); err != nil {
		return nil, err
	}
	if err := os.WriteFile(tokens, fmt.Appendf(nil, "bench sha256:%x status\n", sha256.Sum256([]byte(token))), 0o600); err != nil {
		return nil, err
	}
	return p.start(ctx, program, append([]string{
		"--store-url=" + store, "--store-username=" + username, "--store-password-file=" + passwords, "--write-mode=" + mode,
		"--caller-auth=token", "--token-file=" + tokens,
		"--grpc-addr=127.0.0.1:0", "--http-addr=127.0.0.1:0", "--admin-addr=127.0.0.1:0",
		fmt.Sprintf("--max-in-flight=%d", inFlight), fmt.Sprintf("--max-queue=%d", queue),
	}, args...)...)
}

func (p *processes) start(ctx context.Context, program string, args ...string) (*process, error) {
	started := &process{command: exec.CommandContext(ctx, program, args...)} //nolint:gosec // the program that the command line names
	var err error
	if started.stdin, err = started.command.StdinPipe(); err != nil {
		return nil, err
	}
	if started.log, err = os.CreateTemp(p.directory, "log"); err != nil {
		return nil, err
	}
	started.command.Stderr, started.command.Env = started.log, p.environment
	if err := started.command.Start(); err != nil {
		return nil, err
	}
	p.running = append(p.running, started)
	return started, started.readLog(ctx)
}

// startLine is the line of a gateway's log that says where it serves. A role of this program writes one, too.
var startLine = regexp.MustCompile(`msg=started .*\bgrpc=(\S*) http=(\S+)(?: admin=(\S+))?`)

// readLog takes the addresses of the program from its log.
func (p *process) readLog(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for {
		log, err := os.ReadFile(p.log.Name())
		if err != nil {
			return err
		}
		if found := startLine.FindSubmatch(log); found != nil {
			p.grpc, p.json, p.admin = string(found[1]), "http://"+string(found[2]), "http://"+string(found[3])
			return nil
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return fmt.Errorf("%s did not start: %s", filepath.Base(p.command.Path), log)
		}
	}
}

// send sends a load from a process of its own, and returns how long its calls took.
func (p *processes) send(ctx context.Context, l load) (time.Duration, error) {
	described, err := json.Marshal(l)
	if err != nil {
		return 0, err
	}
	program, err := os.Executable()
	if err != nil {
		return 0, err
	}
	var complaint strings.Builder
	command := exec.CommandContext(ctx, program, "load", string(described)) //nolint:gosec // this program
	command.Stderr = &complaint
	output, err := command.Output()
	if err != nil {
		return 0, fmt.Errorf("%w: %s", err, complaint.String())
	}
	return time.ParseDuration(strings.TrimSpace(strings.TrimPrefix(string(output), "took")))
}

// cpu returns the CPU time of the process so far, in seconds.
func (p *process) cpu() (float64, error) {
	proc, err := procfs.NewProc(p.command.Process.Pid)
	if err != nil {
		return 0, err
	}
	stat, err := proc.Stat()
	return stat.CPUTime(), err
}

// peakMemory returns the most memory that was resident, in MiB.
func (p *process) peakMemory() (float64, error) {
	proc, err := procfs.NewProc(p.command.Process.Pid)
	if err != nil {
		return 0, err
	}
	status, err := proc.NewStatus()
	return float64(status.VmHWM) / (1 << 20), err
}
