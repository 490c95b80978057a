package companion

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// startMariaDB runs a MariaDB in the directory until the test ends. It listens on mariadb.sock there, and nowhere else. A lock is
// waited for two seconds, so that a test sees the end of the wait.
func startMariaDB(t testing.TB, directory string) {
	t.Helper()
	data, socket := filepath.Join(directory, "data"), filepath.Join(directory, "mariadb.sock")
	common := []string{"--no-defaults", "--datadir=" + data}
	if os.Geteuid() == 0 {
		common = append(common, "--user=root") // which it does not run as unless it is asked to
	}
	run(t, exec.CommandContext(t.Context(), "mariadb-install-db", append(common, "--auth-root-authentication-method=normal", "--skip-test-db")...)) //nolint:gosec // a directory of the test
	start(t, exec.Command("mariadbd", append(common, "--socket="+socket, "--skip-networking",                                                       //nolint:gosec,noctx // as above; the clean-up ends it
		"--innodb-buffer-pool-size=32M", "--innodb-log-file-size=16M", "--innodb-flush-log-at-trx-commit=2", "--skip-log-bin",
		"--innodb-lock-wait-timeout=2", "--max-connections=200", "--performance-schema=OFF")...))
	waitFor(t, "MariaDB", func() bool { return accepts(t, "unix", socket) })
	run(t, exec.CommandContext(t.Context(), "mariadb", "--no-defaults", "--user=root", "--socket="+socket, //nolint:gosec // as above
		"--execute=CREATE DATABASE wordpress CHARACTER SET utf8mb4"))
}

// accepts reports whether a server listens on the address.
func accepts(t testing.TB, network, address string) bool {
	t.Helper()
	connection, err := (&net.Dialer{}).DialContext(t.Context(), network, address)
	if err != nil {
		return false
	}
	_ = connection.Close()
	return true
}

// run runs a program to its end, and returns its output.
func run(t testing.TB, command *exec.Cmd) string {
	t.Helper()
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", command, err, output)
	}
	return string(output)
}

// start runs a program, and the processes that it starts, until the test ends. Its output is shown if the test fails.
func start(t testing.TB, command *exec.Cmd) {
	t.Helper()
	log, err := os.CreateTemp(t.TempDir(), "log")
	if err != nil {
		t.Fatal(err)
	}
	command.Stdout, command.Stderr = log, log
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-command.Process.Pid, syscall.SIGKILL) // a test may have done so
		_ = command.Wait()
		if content, err := os.ReadFile(log.Name()); err == nil && t.Failed() {
			t.Logf("%s: %s", filepath.Base(command.Path), content[max(0, len(content)-4000):])
		}
		_ = log.Close()
	})
}

// waitFor waits until a condition holds that nothing signals, such as that another process listens.
func waitFor(t testing.TB, what string, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	ticks := time.NewTicker(10 * time.Millisecond)
	defer ticks.Stop()
	for !condition() {
		select {
		case <-ticks.C:
		case <-ctx.Done():
			t.Fatalf("%s: not within 30 s", what)
		}
	}
}
