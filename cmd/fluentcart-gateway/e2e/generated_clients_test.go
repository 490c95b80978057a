package e2e

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// conversation is what every client prints: of each update the changed fields, the city and the notes; of the errors their
// code, reason, write state, violations and resource.
const conversation = `update: city ["Lyon","prefers email"]
clear: notes ["Lyon",""]
mask: notes ["Lyon","vip"]
dry run: city ["Rome","vip"]
read: Lyon 24900 1749546900 not linked
error: INVALID_ARGUMENT INVALID_FIELD not_sent email full_name
error: ABORTED ETAG_MISMATCH not_sent
error: NOT_FOUND CUSTOMER_NOT_FOUND not_sent customers/99
`

// Each of these tools reads what `make protos` writes, and the client that it makes can call, read and tell errors apart.
func TestClientsOfOtherLanguages(t *testing.T) {
	onceOnly(t)
	tests := []struct {
		name string
		call func(t *testing.T, address string) (printed string)
	}{
		{"@grpc/proto-loader", callWithProtoLoader},
		{"buf and protoc-gen-es", callWithProtocGenES},
		{"protoc", func(t *testing.T, address string) string {
			t.Helper()
			return run(t, clients, []string{"PYTHONPATH=" + generatePython(t)}, python, "client.py", address)
		}},
		{"grpcio-tools", callWithGRPCIOTools},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, storeURL := startStore(t, sandbox.Config{})
			if diff := cmp.Diff(conversation, tt.call(t, startGateway(t, storeURL).grpcAddr)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestProtocGeneratesCodeOfOtherLanguages(t *testing.T) {
	onceOnly(t)
	needs(t, "protoc")
	for _, language := range []string{"cpp", "csharp", "java", "kotlin", "objc", "php", "pyi", "ruby"} {
		t.Run(language, func(t *testing.T) {
			generated := t.TempDir()
			run(t, protos(t), nil, "protoc", append([]string{"-I", ".", "--" + language + "_out=" + generated}, inputs(t, protos(t))...)...)
			if files, err := os.ReadDir(generated); err != nil || len(files) == 0 {
				t.Errorf("nothing is generated: %v", err)
			}
		})
	}
}

func callWithProtoLoader(t *testing.T, address string) string {
	t.Helper()
	needsNode(t)
	return run(t, clients, nil, "node", "proto_loader.mjs", protos(t), address)
}

func callWithProtocGenES(t *testing.T, address string) string {
	t.Helper()
	needsNode(t)
	folder, client := protos(t), t.TempDir()
	run(t, clients, nil, "node_modules/.bin/buf", "generate", folder, "--exclude-path", filepath.Join(folder, "google", "protobuf"), "--output", client)
	if err := os.Symlink(absolute(t, "node_modules"), filepath.Join(client, "node_modules")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"package.json", "protoc_gen_es.mjs"} {
		content, err := os.ReadFile(absolute(t, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(client, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return run(t, client, nil, "node", "protoc_gen_es.mjs", address)
}

// Debian's grpcio-tools has the compiler of 2018, which does not know `optional` in a proto3 file. It makes the stubs from the
// descriptor set; the messages are protoc's.
func callWithGRPCIOTools(t *testing.T, address string) string {
	t.Helper()
	generated := generatePython(t)
	stub := filepath.Join(generated, "fluentcart", "customer", "v1", "customer_service_pb2_grpc.py")
	if err := os.Remove(stub); err != nil {
		t.Fatal(err)
	}
	needsSuccess(t, "install python3-grpc-tools", python, "-c", "import grpc_tools.protoc")
	run(t, protos(t), nil, python, "-c", "import sys; from grpc_tools import protoc; sys.exit(protoc.main(sys.argv))",
		"--descriptor_set_in=fluentcart-gateway.binpb", "--grpc_python_out="+generated, "fluentcart/customer/v1/customer_service.proto")
	if _, err := os.Stat(stub); err != nil {
		t.Fatal(err)
	}
	return run(t, clients, []string{"PYTHONPATH=" + generated}, python, "client.py", address)
}
