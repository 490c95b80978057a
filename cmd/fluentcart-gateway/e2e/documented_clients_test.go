package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// documentedTools are the sections of docs/clients.md that make a client.
var documentedTools = []struct {
	heading string
	needs   func(testing.TB)
	command string // the beginning of the command that generates the code; empty if the program itself reads the files
	run     []string
}{
	{"Node: grpc-js and proto-loader", needsNode, "", []string{"node", "client.js"}},
	{"Node: buf and protoc-gen-es", needsNode, "npx buf", []string{"node", "client.js"}},
	{"Python", needsPython, "mkdir -p generated\npython3 -m grpc_tools.protoc", []string{python, "client.python"}},
	{"Python", needsPython, "mkdir -p generated\nprotoc", []string{python, "client.python"}},
}

// The commands and the programs of the page do what it says, as they stand there but for the address.
func TestDocumentedClients(t *testing.T) {
	onceOnly(t)
	for _, tool := range documentedTools {
		t.Run(tool.heading+" "+tool.command, func(t *testing.T) {
			t.Parallel()
			tool.needs(t)
			section := documentedSection(t, tool.heading)
			var failing atomic.Bool
			_, storeURL := startStore(t, sandbox.Config{Fail: func(*http.Request) *sandbox.Failure {
				if !failing.Load() {
					return nil
				}
				maintenance := answer(sandbox.Maintenance())
				return &maintenance
			}})
			gateway := startGateway(t, storeURL)
			folder := clientFolder(t)
			for _, block := range section {
				content := strings.ReplaceAll(block.content, "127.0.0.1:9090", gateway.grpcAddr)
				switch block.language {
				case "sh":
					if strings.HasPrefix(content, tool.command) {
						// Debian's grpc_tools is older than proto3's optional. The newer ones are protoc and this plug-in.
						content = strings.ReplaceAll(content, "python3 -m grpc_tools.protoc", "protoc --plugin=protoc-gen-grpc_python=/usr/bin/grpc_python_plugin")
						run(t, folder, nil, "bash", "-euo", "pipefail", "-c", content)
					}
				case "yaml":
					save(t, filepath.Join(folder, "buf.gen.yaml"), content)
				default:
					save(t, filepath.Join(folder, "client."+block.language), content)
				}
			}
			if got, want := run(t, folder, nil, tool.run[0], tool.run[1:]...), "updated: city\n"; got != want {
				t.Errorf("%q, want %q", got, want)
			}
			failing.Store(true)
			if got, want := run(t, folder, nil, tool.run[0], tool.run[1:]...), "failed: UNAVAILABLE\nSTORE_UNAVAILABLE not_sent\n"; got != want {
				t.Errorf("%q, want %q", got, want)
			}
		})
	}
}

type codeBlock struct{ language, content string }

// documentedSection returns the code blocks below a heading of the page.
func documentedSection(t testing.TB, heading string) (blocks []codeBlock) {
	t.Helper()
	page, err := os.ReadFile("../../../docs/clients.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(page), "\n### "+heading+"\n")
	if !found {
		t.Fatalf("no heading %q", heading)
	}
	section, _, _ = strings.Cut(section, "\n### ")
	for i, part := range strings.Split(section, "```") {
		if i%2 == 1 {
			language, content, _ := strings.Cut(part, "\n")
			blocks = append(blocks, codeBlock{language, content})
		}
	}
	return blocks
}

// clientFolder is the folder of a client: it has the packages of Node, and the folder that `make protos` writes.
func clientFolder(t testing.TB) string {
	t.Helper()
	folder := t.TempDir()
	for name, target := range map[string]string{"node_modules": absolute(t, "node_modules"), "fluentcart-gateway-protos": protos(t)} {
		if err := os.Symlink(target, filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	save(t, filepath.Join(folder, "package.json"), `{"type":"module"}`)
	return folder
}

func save(t testing.TB, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
