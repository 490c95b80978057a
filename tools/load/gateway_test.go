package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// temporary is a directory that is removed after all tests.
var temporary string

func TestMain(m *testing.M) {
	var err error
	if temporary, err = os.MkdirTemp("", "load-test-"); err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(temporary)
	os.Exit(code) //nolint:forbidigo // the main function of the tests
}

// gatewayBinary builds the gateway once, and returns its path. CI has built it, and names it in GATEWAY_BINARY.
var gatewayBinary = sync.OnceValues(func() (string, error) {
	if built := os.Getenv("GATEWAY_BINARY"); built != "" {
		return built, nil
	}
	path := filepath.Join(temporary, "fluentcart-gateway")
	build := exec.CommandContext(context.Background(), "go", "build", "-o", path, "./cmd/fluentcart-gateway")
	build.Dir = filepath.Join("..", "..")
	if output, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, output)
	}
	return path, nil
})

// loadGateway loads a real gateway with a sandbox store. It returns the summary.
func loadGateway(t testing.TB, args ...string) (summary, error) {
	t.Helper()
	gateway, err := gatewayBinary()
	if err != nil {
		t.Fatal(err)
	}
	stdout, stderr, fault := load(t.Context(), t, append([]string{"-gateway", gateway, "-json"}, args...)...)
	var s summary
	if err := json.Unmarshal([]byte(stdout), &s); err != nil {
		t.Fatalf("%v, %v\n%s\n%s", err, fault, stdout, stderr)
	}
	return s, fault
}

func TestStoreGetsTwoRequestsForEachUpdate(t *testing.T) {
	for _, mode := range []string{modeGRPC, modeHTTP} {
		t.Run(mode, func(t *testing.T) {
			t.Setenv("FLUENTCART_GATEWAY_CALLER_AUTH", "token") // is for another gateway
			s, err := loadGateway(t, "-mode", mode, "-calls=300")
			if err != nil {
				t.Fatal(err)
			}
			if s.Calls != 300 || s.ok() != 300 || s.Store.Requests["GET"] != 300 || s.Store.Requests["PUT"] != 300 || len(s.Store.Requests) != 2 {
				t.Errorf("%d calls, %d OK, the store got %v", s.Calls, s.ok(), s.Store.Requests)
			}
		})
	}
}

// The calls of one customer are not one after another in this mode, so they come to the store in any order.
func TestStoreWithCompanionGetsOneRequestForEachUpdate(t *testing.T) {
	s, err := loadGateway(t, "-calls=300", "-customers=1001-1003", "-store-companion")
	if err != nil {
		t.Fatal(err)
	}
	if s.ok() != 300 || s.Store.Requests["POST"] != 300 || len(s.Store.Requests) != 1 || s.Store.PerOK != 1 || !s.Store.Agrees {
		t.Errorf("%d of %d calls OK, the store got %v", s.ok(), s.Calls, s.Store.Requests)
	}
}

// Whatever the speed of the machine: 64 calls at once meet a store with one worker and a gateway with a queue of eight.
func TestRejectedUpdatesDoNotReachTheStore(t *testing.T) {
	for _, mode := range []string{modeGRPC, modeHTTP} {
		t.Run(mode, func(t *testing.T) {
			s, err := loadGateway(t, "-mode", mode, "-calls=400", "-parallel=64", "-warmup=1", "-store-workers=1", "-store-latency=5ms", "-allow=OVERLOADED",
				"--", "--max-in-flight=1", "--max-queue=8")
			if err != nil {
				t.Fatal(err)
			}
			ok := s.ok()
			if len(s.Outcomes) != 2 || ok == 0 || ok == s.Calls {
				t.Fatalf("the gateway was not overloaded: %+v", s.Outcomes)
			}
			if s.Store.Requests["GET"] != ok || s.Store.Requests["PUT"] != ok || s.Store.PerOK != 2 || !s.Store.Agrees || s.Store.MaxInFlight != 1 {
				t.Errorf("%d of %d calls OK, the store got %v, at most %d at once", ok, s.Calls, s.Store.Requests, s.Store.MaxInFlight)
			}
		})
	}
}

func TestUpdatesThatTheStoreRejectsFailTheRun(t *testing.T) {
	s, err := loadGateway(t, "-customers=3", "-calls=5", "-parallel=1")
	if err == nil || !strings.Contains(err.Error(), "5 × FAILED_PRECONDITION WORDPRESS_USER_UPDATE_FAILED rejected") || s.Fault != err.Error() {
		t.Errorf("%v, in the summary: %s", err, s.Fault)
	}
}

func TestGatewayThatDoesNotStartIsReported(t *testing.T) {
	gateway, err := gatewayBinary()
	if err != nil {
		t.Fatal(err)
	}
	_, stderr, err := load(t.Context(), t, "-gateway", gateway, "--", "--max-queue=-1")
	if err == nil || !strings.Contains(err.Error(), "ended before it printed its addresses") || !strings.Contains(stderr, "max-queue") {
		t.Errorf("%v\n%s", err, stderr)
	}
	if _, _, err := load(t.Context(), t, "-gateway", filepath.Join(temporary, "nothing")); err == nil || !strings.Contains(err.Error(), "`make load` builds it") {
		t.Errorf("%v", err)
	}
}
