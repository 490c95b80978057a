package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// clients holds the programs that call the gateway in other languages, and what `make clients` has installed for them.
const clients = "testdata/clients"

// python is Debian's, which has Debian's packages of gRPC; another one may come first in PATH.
const python = "/usr/bin/python3"

// protosFolder writes what `make protos` writes, once per test run, and returns the folder.
var protosFolder = sync.OnceValues(func() (string, error) {
	folder := filepath.Join(temporary, "protos")
	if output, err := exec.CommandContext(context.Background(), "go", "-C", "../../../tools", "run", "./protos", "../proto", folder).CombinedOutput(); err != nil {
		return "", fmt.Errorf("go run ./protos: %w\n%s", err, output)
	}
	return folder, nil
})

// onceOnly skips a test of programs in other languages under the race detector, which shows no more of them.
func onceOnly(t testing.TB) {
	t.Helper()
	if hasRaceDetector() {
		t.Skip("it is about programs in other processes, and takes long; `go test` runs it")
	}
}

func protos(t testing.TB) (folder string) {
	t.Helper()
	folder, err := protosFolder()
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

// needsSuccess skips a test for which a command fails. In CI the test fails.
func needsSuccess(t testing.TB, hint, name string, args ...string) {
	t.Helper()
	if output, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput(); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("%s: %v\n%s", hint, err, output)
		}
		t.Skipf("%s: %v", hint, err)
	}
}

func needsNode(t testing.TB) {
	t.Helper()
	needsSuccess(t, "run `make clients` first", "node", "--eval", `require("./`+clients+`/node_modules/@grpc/grpc-js/package.json")`)
}

func needsPython(t testing.TB) {
	t.Helper()
	needs(t, "protoc")
	needs(t, "grpc_python_plugin")
	needsSuccess(t, "install python3-grpcio", python, "-c", "import grpc")
}

// run runs a program in a folder to its end, and returns what it printed.
func run(t testing.TB, folder string, environment []string, name string, args ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), name, args...)
	command.Dir, command.Env, command.WaitDelay = folder, append(os.Environ(), environment...), time.Second
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, output)
	}
	return string(output)
}

// inputs are the files of the folder that code is generated from.
func inputs(t testing.TB, folder string) []string {
	t.Helper()
	var files []string
	for _, pattern := range []string{"fluentcart/*/*/*.proto", "google/api/*.proto", "google/rpc/*.proto"} {
		found, err := filepath.Glob(filepath.Join(folder, pattern))
		if err != nil || len(found) == 0 {
			t.Fatalf("no %s: %v", pattern, err)
		}
		for _, file := range found {
			relative, err := filepath.Rel(folder, file)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, relative)
		}
	}
	return files
}

// generatePython generates a client with protoc, and returns its folder.
func generatePython(t testing.TB) (generated string) {
	t.Helper()
	needsPython(t)
	folder, generated := protos(t), t.TempDir()
	args := []string{"-I", ".", "--python_out=" + generated, "--plugin=protoc-gen-grpc_python=" + programPath(t, "grpc_python_plugin"), "--grpc_python_out=" + generated}
	run(t, folder, nil, "protoc", append(args, inputs(t, folder)...)...)
	return generated
}

func programPath(t testing.TB, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// absolute returns the absolute path of a file of the clients' folder.
func absolute(t testing.TB, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(clients, name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}
