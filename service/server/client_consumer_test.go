package server_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// consumer is a program that uses the client.
const consumer = `package main

import (
	"context"
	"fmt"
	"log"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/protobuf/proto"

	"github.com/fluentcart-gateway/fluentcart-gateway/client"
	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
)

func main() {
	conn, err := grpc.NewClient("dns:///gateway.example:9090", append(client.DialOptions(), grpc.WithTransportCredentials(credentials.NewTLS(nil)))...)
	if err != nil {
		log.Fatal(err)
	}
	_, err = customerv1.NewCustomerServiceClient(conn).UpdateCustomer(context.Background(), &customerv1.UpdateCustomerRequest{
		CustomerId: 1, Customer: &customerv1.Customer{City: proto.String("Lyon")},
	})
	fmt.Println(client.Outcome(err))
}
`

// The stubs and the client are modules of their own so that a program which uses them builds with an older Go than the
// server, and without the server's libraries. A module that is not listed here needs a reason.
func TestConsumerGetsNothingOfTheServer(t *testing.T) {
	module := t.TempDir()
	goCommand := func(args ...string) string {
		t.Helper()
		command := exec.CommandContext(t.Context(), "go", args...)
		command.Dir = module
		command.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off", "CGO_ENABLED=0") // as `make build`, whose packages it shares
		var stderr strings.Builder
		command.Stderr = &stderr
		output, err := command.Output()
		if err != nil {
			t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
		}
		return strings.TrimSpace(string(output))
	}
	if err := os.WriteFile(filepath.Join(module, "main.go"), []byte(consumer), 0o600); err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	const ours = "github.com/fluentcart-gateway/fluentcart-gateway/"
	goCommand("mod", "init", "example.com/consumer")
	goCommand("mod", "edit", "-go=1.24.0",
		"-replace="+ours+"gen="+filepath.Join(root, "gen"), "-replace="+ours+"client="+filepath.Join(root, "client"),
		"-require="+ours+"gen@v0.0.0", "-require="+ours+"client@v0.0.0")
	goCommand("mod", "tidy")

	binary := filepath.Join(module, "consumer")
	goCommand("build", "-trimpath", "-ldflags=-s -w", "-o", binary)
	goMod, err := os.ReadFile(filepath.Join(module, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	if directive := regexp.MustCompile(`(?m)^go (.+)$`).FindStringSubmatch(string(goMod)); directive[1] != "1.24.0" || strings.Contains(string(goMod), "toolchain") {
		t.Errorf("the consumer needs another Go:\n%s", goMod)
	}
	built := map[string]bool{}
	for module := range strings.Lines(goCommand("list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", ".")) {
		if module = strings.TrimSpace(module); module != "" {
			built[module] = true
		}
	}
	if diff := cmp.Diff(map[string]bool{
		"example.com/consumer": true,
		ours + "client":        true,
		ours + "gen":           true,
		"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go": true, // the options of the contract
		"github.com/grpc-ecosystem/grpc-gateway/v2":                  true, // its OpenAPI options, and the stubs for HTTP
		"golang.org/x/net":                          true, // the rest is of gRPC
		"golang.org/x/sys":                          true,
		"golang.org/x/text":                         true,
		"google.golang.org/genproto/googleapis/api": true,
		"google.golang.org/genproto/googleapis/rpc": true,
		"google.golang.org/grpc":                    true,
		"google.golang.org/protobuf":                true,
	}, built); diff != "" {
		t.Errorf("modules that are built (-want +got):\n%s", diff)
	}
	all := strings.Fields(goCommand("list", "-m", "-f", "{{.Path}}", "all"))
	beyondGRPC := map[string]bool{}
	for _, module := range all {
		beyondGRPC[module] = true
	}
	grpc := goCommand("list", "-m", "-f", "{{.Dir}}", "google.golang.org/grpc")
	for module := range strings.FieldsSeq(goCommand("list", "-C", grpc, "-mod=readonly", "-m", "-f", "{{.Path}}", "all")) {
		delete(beyondGRPC, module)
	}
	if diff := cmp.Diff(map[string]bool{
		"example.com/consumer": true,
		ours + "client":        true,
		ours + "gen":           true,
		"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go": true,
		"github.com/grpc-ecosystem/grpc-gateway/v2":                  true,
		"github.com/antihax/optional":                                true, // of grpc-gateway, as the next two; none is built
		"github.com/rogpeppe/fastuuid":                               true,
		"go.yaml.in/yaml/v3":                                         true,
	}, beyondGRPC); diff != "" {
		t.Errorf("modules that a program with gRPC does not have (-want +got):\n%s", diff)
	}
	info, err := os.Stat(binary)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("go 1.24.0, %d modules in go list -m all, of which %d are built, a binary of %.1f MB", len(all), len(built), float64(info.Size())/1e6)
}
