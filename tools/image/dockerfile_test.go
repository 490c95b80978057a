package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// root is the root of the repository.
const root = "../.."

func TestDockerfileStartsTheGatewayAsTheImageOfKo(t *testing.T) {
	stages, _ := parse(t)
	final := stages[len(stages)-1]
	got := v1.Config{ExposedPorts: map[string]struct{}{}, Labels: map[string]string{}}
	for _, command := range final.Commands {
		switch command := command.(type) {
		case *instructions.EnvCommand:
			for _, pair := range command.Env {
				got.Env = append(got.Env, pair.String())
			}
		case *instructions.LabelCommand:
			for _, pair := range command.Labels {
				got.Labels[pair.Key] = strings.Trim(pair.Value, `"`)
			}
		case *instructions.ExposeCommand:
			for _, port := range command.Ports {
				got.ExposedPorts[port+"/tcp"] = struct{}{}
			}
		case *instructions.HealthCheckCommand:
			health := command.Health
			got.Healthcheck = &v1.HealthConfig{Test: health.Test, Interval: health.Interval, Timeout: health.Timeout, StartPeriod: health.StartPeriod, Retries: health.Retries}
		case *instructions.EntrypointCommand:
			got.Entrypoint = command.CmdLine
		case *instructions.UserCommand:
			got.User = command.User
		case *instructions.WorkdirCommand:
			got.WorkingDir = command.Path
		case *instructions.CopyCommand, *instructions.ArgCommand:
		default:
			t.Errorf("%s has no counterpart in the image of ko", command.Name())
		}
	}
	want := v1.Config{Env: []string{"PATH=/ko-app"}, Entrypoint: []string{"/ko-app/fluentcart-gateway"}, User: user}
	start(&want)
	want.Labels = labels("$VERSION", "$REVISION", time.Now())
	delete(want.Labels, "org.opencontainers.image.created") // it would make each build differ
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-ko +Dockerfile)\n%s", diff)
	}
}

func TestDockerfileBuildsAsTheMakefileWithTheGoVersionOfTheModule(t *testing.T) {
	stages, arguments := parse(t)
	toolchain := regexp.MustCompile(`(?m)^toolchain go(\S+)$`).FindSubmatch(read(t, "go.mod"))
	if want := "golang:" + string(toolchain[1]); arguments["GO"] != want {
		t.Errorf("the compiler is %s, want %s", arguments["GO"], want)
	}
	var runs []string
	for _, command := range stages[0].Commands {
		if run, ok := command.(*instructions.RunCommand); ok {
			runs = append(runs, strings.Join(run.CmdLine, " "))
			if len(run.FlagsUsed) == 0 {
				t.Errorf("%q has no cache mount", run.CmdLine)
			}
		}
	}
	if diff := cmp.Diff([]string{"go mod download", "GOOS=$TARGETOS GOARCH=$TARGETARCH make build"}, runs); diff != "" {
		t.Error(diff)
	}
	// The configuration of ko has the flags of `make build`.
	config, err := readConfig(filepath.Join(root, ".ko.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	line := "build := " + strings.Join(append(slices.Clone(config.Env), "go build"), " ") + " " + strings.Join(config.Flags, " ") + " -o bin/ ./cmd/fluentcart-gateway\n"
	if !bytes.Contains(read(t, "Makefile"), []byte(line)) {
		t.Errorf("the Makefile does not have the flags of .ko.yaml, which are\n%s", line)
	}
}

// A file that is missing in the context is an error of COPY. A tracked file that is left out of the context is a change to git,
// and the version would end with "+dirty".
func TestDockerfileCopiesFilesThatExistAndTheContextHasAllTrackedFiles(t *testing.T) {
	stages, _ := parse(t)
	copies := 0
	for _, stage := range stages {
		for _, command := range stage.Commands {
			files, ok := command.(*instructions.CopyCommand)
			if !ok {
				continue
			}
			for _, path := range files.SourcePaths {
				if copies++; files.From == "" {
					if _, err := os.Stat(filepath.Join(root, path)); err != nil {
						t.Error(err)
					}
				} else if !strings.HasPrefix(path, "/src/bin/") && path != "/etc/ssl/certs/ca-certificates.crt" {
					t.Errorf("%s is copied into the image", path)
				}
			}
		}
	}
	if copies != 9 {
		t.Errorf("%d files are copied, want 9", copies)
	}
	// The patterns are also valid for git, with the same meaning.
	output, err := exec.CommandContext(t.Context(), "git", "-C", root, "ls-files", "--cached", "--ignored", "--exclude-from=.dockerignore").Output()
	if err != nil || len(output) > 0 {
		t.Errorf("%v; .dockerignore leaves out tracked files:\n%s", err, output)
	}
}

// parse returns the stages of the Dockerfile, with the arguments before them put in.
func parse(t *testing.T) ([]instructions.Stage, map[string]string) {
	t.Helper()
	parsed, err := parser.Parse(bytes.NewReader(read(t, "deploy/Dockerfile")))
	if err != nil {
		t.Fatal(err)
	}
	for _, warning := range parsed.Warnings {
		t.Error(warning.Short)
	}
	stages, before, err := instructions.Parse(parsed.AST, nil)
	if err != nil {
		t.Fatal(err)
	}
	arguments := map[string]string{}
	for _, command := range before {
		for _, argument := range command.Args {
			arguments[argument.Key] = argument.ValueString()
		}
	}
	if len(stages) != 2 {
		t.Fatalf("%d stages, want 2", len(stages))
	}
	return stages, arguments
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return content
}
