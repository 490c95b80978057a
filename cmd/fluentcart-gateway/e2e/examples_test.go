package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// examples holds the programs that show how to call the gateway.
const examples = "../../../examples"

// Every example makes the same calls, and prints the same.
func TestExamples(t *testing.T) {
	want, err := os.ReadFile(filepath.Join(examples, "output.txt"))
	if err != nil {
		t.Fatal(err)
	}
	tested := map[string]bool{"output.txt": true, "package.json": true, "package-lock.json": true, ".npmrc": true, "node_modules": true}
	for _, example := range []struct {
		file    string
		needs   func(testing.TB)
		command []string
	}{
		{"curl.sh", func(t testing.TB) { t.Helper(); needs(t, "curl"); needs(t, "jq") }, []string{"bash", "curl.sh"}},
		{"fetch.mjs", func(t testing.TB) { t.Helper(); needs(t, "node") }, []string{"node", "fetch.mjs"}},
		{"axios.mjs", needsExamplesOfNode, []string{"node", "axios.mjs"}},
		{"php.php", func(t testing.TB) { t.Helper(); needsSuccess(t, "install php-curl", "php", "--ri", "curl") }, []string{"php", "php.php"}},
		{"json_requests.py", func(t testing.TB) {
			t.Helper()
			needsSuccess(t, "install python3-requests", python, "-c", "import requests")
		}, []string{python, "json_requests.py"}},
		{"go", func(testing.TB) {}, []string{"go", "-C", "go", "run", "."}},
		{"node-grpc.mjs", needsExamplesOfNode, []string{"node", "node-grpc.mjs"}},
		{"python_grpc.py", needsPython, []string{python, "python_grpc.py"}},
		{"grpcurl.sh", func(t testing.TB) { t.Helper(); needs(t, "jq") }, []string{"bash", "grpcurl.sh"}},
	} {
		tested[example.file] = true
		t.Run(example.file, func(t *testing.T) {
			example.needs(t)
			_, storeURL := startStore(t, sandbox.Config{})
			gateway := startGateway(t, storeURL)
			environment := []string{"GATEWAY_URL=" + gateway.jsonURL, "GATEWAY_ADDR=" + gateway.grpcAddr}
			switch example.file {
			case "node-grpc.mjs":
				environment = append(environment, "PROTOS="+protos(t))
			case "python_grpc.py":
				environment = append(environment, "PYTHONPATH="+generatePython(t), "PYTHONDONTWRITEBYTECODE=1")
			case "grpcurl.sh":
				environment = append(environment, "PATH="+filepath.Dir(grpcurl(t))+":"+os.Getenv("PATH"))
			}
			got := run(t, examples, environment, example.command[0], example.command[1:]...)
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("output (-want +got):\n%s", diff)
			}
		})
	}
	files, err := os.ReadDir(examples)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !tested[file.Name()] {
			t.Errorf("%s is not tested", file.Name())
		}
	}
}

func needsExamplesOfNode(t testing.TB) {
	t.Helper()
	needsSuccess(t, "run `make clients` first", "node", "--eval", `require("`+examples+`/node_modules/axios/package.json")`)
}

// grpcurl builds the pinned grpcurl, and returns its path.
func grpcurl(t testing.TB) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "grpcurl")
	run(t, "../../..", []string{"GOFLAGS="}, "go", "build", "-modfile=tools/go.mod", "-o", path, "github.com/fullstorydev/grpcurl/cmd/grpcurl")
	return path
}

// Code that a page shows of an example stands in the example.
func TestDocumentsShowTheExamples(t *testing.T) {
	pages, err := filepath.Glob("../../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	shown := regexp.MustCompile("(?s)<!-- (examples/[^ ]+) -->\n```[a-z]*\n(.*?)```")
	found := 0
	for _, page := range pages {
		content, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range shown.FindAllStringSubmatch(string(content), -1) {
			found++
			example, err := os.ReadFile(filepath.Join("../../..", block[1]))
			if err != nil {
				t.Errorf("%s: %v", page, err)
			} else if !strings.Contains(string(example), block[2]) {
				t.Errorf("%s shows what does not stand in %s:\n%s", page, block[1], block[2])
			}
		}
	}
	if found == 0 {
		t.Error("no page shows an example")
	}
}
