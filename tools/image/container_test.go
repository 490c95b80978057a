package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
)

// container runs the programs of an image: the image's files are the root, which cannot be written, and of this machine only the
// network is there.
type container struct {
	folder string
	config v1.Config
	ports  []string // of gRPC, JSON and the admin server
	// unmounted is a container whose root the machine does not let us mount read-only, as within some containers. Its files cannot
	// be written by their modes.
	unmounted bool
}

// isolated has as its arguments the folder, the image's environment, and the command. Each program replaces the one before.
const isolated = `set -e
mount --bind "$1" "$1"
mount -o remount,bind,ro,nosuid,nodev "$1"
shift
exec env -i "$@"`

// works starts the gateway of an image, calls it, and stops it.
func works(t *testing.T, folder string, config v1.Config) {
	t.Helper()
	c := newContainer(t, folder, config)
	var log bytes.Buffer
	gateway := c.command(t, append(c.config.Entrypoint, "--sandbox", "--allow-unauthenticated")...)
	gateway.Stdout, gateway.Stderr = io.Discard, &log
	if err := gateway.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- gateway.Wait() }()
	t.Cleanup(func() { _ = gateway.Process.Kill() })

	admin := "http://127.0.0.1:" + c.ports[2]
	waitFor(t, admin+"/readyz", ended, &log)
	if status, body := get(t, admin+"/livez"); status != http.StatusOK || body != "ok\n" {
		t.Errorf("/livez is %d: %s", status, body)
	}
	c.isConfined(t, gateway.Process.Pid)
	if output, err := c.command(t, c.config.Healthcheck.Test[1:]...).CombinedOutput(); err != nil || string(output) != "serving\n" {
		t.Errorf("the health check of the image: %v: %s", err, output)
	}
	c.update(t)

	if err := gateway.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("after SIGTERM: %v\n%s", err, log.String())
	}
	c.refusesWithoutAStore(t)
}

// newContainer skips the test where the machine does not permit to become another user.
func newContainer(t *testing.T, folder string, config v1.Config) *container {
	t.Helper()
	c := &container{folder: folder, config: config}
	for len(c.ports) < 3 {
		port := strconv.Itoa(10_000 + rand.IntN(20_000)) // below the ports of connections, one of which could take it
		listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:"+port)
		if err == nil {
			defer listener.Close() //nolint:errcheck // the port is free then
			c.ports = append(c.ports, port)
		}
	}
	// The ports of the image may be in use on this machine.
	ports := strings.NewReplacer("=:9090", "=:"+c.ports[0], "=:8080", "=:"+c.ports[1], "=:9091", "=:"+c.ports[2])
	c.config.Env = nil
	for _, variable := range config.Env {
		c.config.Env = append(c.config.Env, ports.Replace(variable))
	}
	output, err := c.command(t, append(config.Entrypoint, "version")...).CombinedOutput()
	forbidden := func() bool {
		return err != nil && (strings.Contains(string(output), "not permitted") || strings.Contains(string(output), "denied"))
	}
	if forbidden() {
		t.Logf("this machine does not permit mounts: %s", output)
		c.unmounted = true
		forbidWriting(t, folder)
		output, err = c.command(t, append(config.Entrypoint, "version")...).CombinedOutput()
	}
	if forbidden() && os.Getenv("CI") == "" {
		t.Skipf("this machine does not permit to become another user: %s", output)
	}
	if err != nil || !strings.HasPrefix(string(output), "fluentcart-gateway ") {
		t.Fatalf("%v: %s", err, output)
	}
	return c
}

// command returns a command that runs in the container, with the image's environment and account. A name without a slash is
// looked for in the image's PATH.
func (c *container) command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	chroot, err := exec.LookPath("chroot")
	if err != nil {
		chroot = "/usr/sbin/chroot" // of which not every PATH has the folder
	}
	all := []string{"unshare", "--mount", "--propagation", "private", "setpriv", "--no-new-privs", "sh", "-c", isolated, "sh", c.folder}
	if c.unmounted {
		all = []string{"setpriv", "--no-new-privs", "env", "-i"}
	}
	all = append(all, c.config.Env...)
	all = append(all, chroot, "--userspec="+c.config.User, "--groups=", c.folder)
	all = append(all, args...)
	return exec.CommandContext(context.WithoutCancel(t.Context()), all[0], all[1:]...)
}

// forbidWriting takes from all but root the right to write a file of the image.
func forbidWriting(t *testing.T, folder string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Type()&fs.ModeSymlink != 0 {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if err := os.Chown(path, 0, 0); err != nil {
			return err
		}
		return os.Chmod(path, info.Mode().Perm()&^0o222)
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(folder, 0o700) }) // so that the test can remove it
}

// isConfined checks what the kernel says about the process.
func (c *container) isConfined(t *testing.T, pid int) {
	t.Helper()
	status := string(contents(t, fmt.Sprintf("/proc/%d/status", pid)))
	for _, line := range []string{"\nUid:\t65532\t65532\t65532\t65532\n", "\nGid:\t65532\t65532\t65532\t65532\n", "\nCapEff:\t0000000000000000\n"} {
		if !strings.Contains(status, line) {
			t.Errorf("without %q:\n%s", line, status)
		}
	}
	if c.unmounted {
		return
	}
	file := fmt.Sprintf("/proc/%d/root/tmp/file", pid)
	if err := os.WriteFile(file, nil, 0o600); err == nil || !strings.Contains(err.Error(), "read-only file system") {
		t.Errorf("the root can be written: %v", err)
	}
}

// update makes a call over each transport.
func (c *container) update(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	connection, err := grpc.NewClient("127.0.0.1:"+c.ports[0], grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close() //nolint:errcheck // the call has ended
	city := "Lyon"
	response, err := customerv1.NewCustomerServiceClient(connection).UpdateCustomer(ctx, &customerv1.UpdateCustomerRequest{CustomerId: 1, Customer: &customerv1.Customer{City: &city}})
	if err != nil || response.GetCustomer().GetCity() != city {
		t.Errorf("%v: %v", err, response)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPatch, "http://127.0.0.1:"+c.ports[1]+"/v1/customers/1", strings.NewReader(`{"city":"Nice"}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK || !bytes.Contains(body, []byte(`"city":"Nice"`)) {
		t.Errorf("%s: %v: %s", answer.Status, err, body)
	}
}

// refusesWithoutAStore checks `docker run` without arguments: the error says what to give.
func (c *container) refusesWithoutAStore(t *testing.T) {
	t.Helper()
	output, err := c.command(t, c.config.Entrypoint...).CombinedOutput()
	if code := err.(*exec.ExitError).ExitCode(); code != 2 { //nolint:errorlint,forcetypeassert // the command starts
		t.Errorf("exit code %d", code)
	}
	for _, want := range []string{"no store: give --store-url (with --store-username and --store-password-file), or --sandbox", "--caller-auth", "--allow-unauthenticated"} {
		if !strings.Contains(string(output), want) {
			t.Errorf("without %q:\n%s", want, output)
		}
	}
}

// waitFor waits until an address answers with 200.
func waitFor(t *testing.T, url string, ended <-chan error, log *bytes.Buffer) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
		select {
		case err := <-ended:
			t.Fatalf("the gateway has ended: %v\n%s", err, log.String())
		case <-time.After(50 * time.Millisecond):
		}
		if response, err := http.Get(url); err == nil { //nolint:noctx // an address of this test
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return
			}
		}
	}
	t.Fatal(url + " did not answer in time")
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	response, err := http.Get(url) //nolint:noctx // an address of this test
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

func octal(mode int64) string { return strconv.FormatInt(mode, 8) }

func decimal(n int) string { return strconv.Itoa(n) }
