package e2e

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// examples holds the programs that show how to call the gateway.
const examples = "../../../examples"

// examplePrograms are all of them. Every one makes the same calls, and prints output.txt.
var examplePrograms = []struct {
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
}

var overGRPC = []string{"go", "node-grpc.mjs", "python_grpc.py", "grpcurl.sh"}

// lastCall is the last call of every example: it updates customer 3.
const lastCall = "a linked user that is gone: "

func TestExamples(t *testing.T) {
	onceOnly(t)
	content, err := os.ReadFile(filepath.Join(examples, "output.txt"))
	if err != nil {
		t.Fatal(err)
	}
	want := string(content)
	beforeLast, _, found := strings.Cut(want, lastCall)
	if !found {
		t.Fatalf("output.txt does not have %q", lastCall)
	}
	token, line, err := auth.NewToken("examples", nil)
	if err != nil {
		t.Fatal(err)
	}
	tokens := writeFile(t, "tokens", line)
	for _, example := range examplePrograms {
		t.Run(example.file, func(t *testing.T) {
			t.Parallel()
			example.needs(t)
			var silent atomic.Bool // the store, when customer 3 is written
			_, storeURL := startStore(t, sandbox.Config{Fail: func(r *http.Request) *sandbox.Failure {
				if !silent.Load() || r.Method != http.MethodPut || !strings.HasSuffix(r.URL.Path, "/3") {
					return nil
				}
				return &sandbox.Failure{Work: sandbox.Never, Delivery: sandbox.Reset}
			}})
			gateway := startGateway(t, storeURL, "--caller-auth=token", "--token-file="+tokens, "--put-timeout=1s", "--write-settle-time=1s")
			proxy := newBadProxy(t, gateway.jsonURL)
			environment := []string{"GATEWAY_ADDR=" + gateway.grpcAddr}
			switch example.file {
			case "node-grpc.mjs":
				environment = append(environment, "PROTOS="+protos(t))
			case "python_grpc.py":
				environment = append(environment, "PYTHONPATH="+generatePython(t), "PYTHONDONTWRITEBYTECODE=1")
			case "grpcurl.sh":
				environment = append(environment, "PATH="+filepath.Dir(grpcurl(t))+":"+os.Getenv("PATH"))
			}
			call := func(token string) (printed, complaint string, err error) {
				var stderr strings.Builder
				command := exec.CommandContext(t.Context(), example.command[0], example.command[1:]...)
				command.Dir, command.WaitDelay, command.Stderr = examples, time.Second, &stderr
				command.Env = append(append(os.Environ(), environment...), "GATEWAY_URL="+proxy.url, "GATEWAY_TOKEN="+token)
				output, err := command.Output()
				return string(output), stderr.String(), err
			}
			compare := func(when, want string) {
				t.Helper()
				printed, complaint, err := call(token.Reveal())
				if diff := cmp.Diff(want, printed); diff != "" || err != nil {
					t.Errorf("%s: %v\n%s\noutput (-want +got):\n%s", when, err, complaint, diff)
				}
			}
			compare("at first", want)
			compare("again", want)

			const wrongToken = "a-token-that-nobody-may-read"
			printed, complaint, err := call(wrongToken)
			if err == nil || printed != "" || complaint == "" {
				t.Errorf("with a wrong token it ends with %v, prints %q, and complains %q", err, printed, complaint)
			}
			if strings.Contains(complaint, wrongToken) {
				t.Errorf("it prints the token:\n%s", complaint)
			}

			const unknown = ", unknown: read the customer before you send the update again\n"
			silent.Store(true)
			compare("when the outcome is unknown", beforeLast+lastCall+"WRITE_OUTCOME_UNKNOWN"+unknown)
			if slices.Contains(overGRPC, example.file) { // the proxy speaks HTTP/1.1
				return
			}
			for name, response := range badResponses {
				proxy.response.Store(&response)
				compare("when a proxy answers with "+name, beforeLast+lastCall+"no answer of the gateway"+unknown)
			}
		})
	}
}

func TestEveryExampleIsTested(t *testing.T) {
	tested := map[string]bool{"output.txt": true, "package.json": true, "package-lock.json": true, ".npmrc": true, "node_modules": true}
	for _, example := range examplePrograms {
		tested[example.file] = true
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
	run(t, "../../..", nil, "go", "build", "-modfile=tools/go.mod", "-o", path, "github.com/fullstorydev/grpcurl/cmd/grpcurl")
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
		blocks := shown.FindAllStringSubmatch(string(content), -1)
		if markers := strings.Count(string(content), "<!-- examples/"); markers != len(blocks) {
			t.Errorf("%s names %d examples, and shows code right below %d of these lines", page, markers, len(blocks))
		}
		for _, block := range blocks {
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
