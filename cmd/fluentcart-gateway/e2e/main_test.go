package e2e

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// temporary is a directory that is removed after all tests.
var temporary string

// TestMain lets the test binary start itself as a child process: an environment variable chooses the program, and its
// value is the argument. After the tests no goroutine may be left.
func TestMain(m *testing.M) {
	for variable, program := range map[string]func(argument string, stdout io.Writer) int{
		asFaultyGateway: runFaultyGateway,
		asLoad:          runLoad,
		asFlood:         runFlood,
	} {
		if argument, ok := os.LookupEnv(variable); ok {
			os.Exit(program(argument, os.Stdout)) //nolint:forbidigo // the main function of a child process
		}
	}
	var err error
	if temporary, err = os.MkdirTemp("", "fluentcart-gateway-e2e-"); err != nil {
		panic(err)
	}
	flag.Parse()
	if err = flag.Set("test.parallel", "8"); err != nil { // parallel tests wait for other processes more than they compute
		panic(err)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(temporary)
		os.Exit(code) //nolint:forbidigo // goleak exits in the same way
	}))
}

// gatewayBinary builds the gateway once per test run, with the race detector if the tests have it, and returns its path. CI has
// built the one without, and names it in GATEWAY_BINARY.
var gatewayBinary = sync.OnceValues(func() (string, error) {
	path := filepath.Join(temporary, "fluentcart-gateway")
	args := []string{"build", "-o", path}
	if hasRaceDetector() {
		args = append(args, "-race")
	} else if built := os.Getenv("GATEWAY_BINARY"); built != "" {
		return built, nil
	}
	if output, err := exec.CommandContext(context.Background(), "go", append(args, "..")...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, output)
	}
	return path, nil
})

func hasRaceDetector() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// runGateway runs a command of the gateway to its end, and returns what it printed.
func runGateway(t testing.TB, args ...string) (printed string, err error) {
	t.Helper()
	binary, err := gatewayBinary()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), binary, args...)
	command.WaitDelay = time.Second
	output, err := command.CombinedOutput()
	return string(output), err
}

// soaking skips a test that takes long, unless SOAK is set. It returns whether it is the long form.
func soaking(t testing.TB) (long bool) {
	t.Helper()
	switch os.Getenv("SOAK") {
	case "short":
		return false
	case "long":
		return true
	}
	t.Skip("it takes long; `make soak` runs it, and CI with SOAK=short")
	return false
}

// stormTime is how long a storm lasts that is part of the quick tests too.
func stormTime(t testing.TB) time.Duration {
	t.Helper()
	switch os.Getenv("SOAK") {
	case "short":
		return 5 * time.Second
	case "long":
		return time.Minute
	}
	return 2 * time.Second
}

// needs skips a test whose program is missing. In CI the test fails.
func needs(t testing.TB, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is missing", program)
		}
		t.Skipf("%s is missing", program)
	}
}

// lowPriority is a child process of this test binary that gets the processor only when no other process wants it. It
// needs chrt.
func lowPriority(ctx context.Context) *exec.Cmd {
	return exec.CommandContext(ctx, "chrt", "--idle", "0", os.Args[0])
}

// waitFor waits until a condition is true.
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

// writeFile writes a file that only its owner can read, and returns its path.
func writeFile(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
