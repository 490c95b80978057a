package workflows

import (
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"
)

const root = "../.."

// workflow is what the tests read of a workflow.
type workflow struct {
	Permissions *map[string]string
	Concurrency map[string]any
	Jobs        map[string]struct {
		Timeout   int `yaml:"timeout-minutes"`
		Container struct{ Image string }
		Steps     []struct{ Uses, Run string }
	}
}

func TestWorkflowsCallCommandsThatExist(t *testing.T) {
	makefile := read(t, "Makefile")
	each(t, func(t *testing.T, w workflow) {
		t.Helper()
		for _, job := range w.Jobs {
			for _, step := range job.Steps {
				words := strings.Fields(step.Run)
				switch {
				case len(words) == 0:
				case words[0] == "make" && len(words) > 1:
					if !regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(words[1]) + `:`).MatchString(makefile) {
						t.Errorf("%q: the Makefile has no such target", step.Run)
					}
				case words[0] == "bash" && len(words) == 2:
					read(t, words[1])
				default:
					if info, err := os.Stat(filepath.Join(root, words[0])); err != nil || info.IsDir() || info.Mode()&0o111 == 0 {
						t.Errorf("%q is no script: %v", step.Run, err)
					}
				}
			}
		}
	})
}

func TestWorkflowsHaveLimitsAndNoMoreRightsThanTheyNeed(t *testing.T) {
	toolchain := regexp.MustCompile(`(?m)^toolchain go(\S+)$`).FindStringSubmatch(read(t, "go.mod"))[1]
	pinned := regexp.MustCompile(`^[a-z-]+/[a-z-]+@[0-9a-f]{40}$`)
	each(t, func(t *testing.T, w workflow) {
		t.Helper()
		if w.Permissions == nil || len(w.Concurrency) == 0 {
			t.Error("permissions or concurrency is missing")
		}
		if w.Permissions != nil {
			for scope, right := range *w.Permissions {
				if right != "read" {
					t.Errorf("all jobs have the right %s: %s", scope, right)
				}
			}
		}
		for name, job := range w.Jobs {
			if job.Timeout == 0 {
				t.Errorf("%s has no timeout", name)
			}
			if image := job.Container.Image; image != "" && image != "golang:"+toolchain {
				t.Errorf("%s runs in %s, and go.mod names Go %s", name, image, toolchain)
			}
			for _, step := range job.Steps {
				if step.Uses != "" && !pinned.MatchString(step.Uses) {
					t.Errorf("%s is not pinned by its commit", step.Uses)
				}
			}
		}
	})
}

func TestUpdatesCoverAllModulesAndPackages(t *testing.T) {
	var config struct {
		Updates []struct {
			Ecosystem   string `yaml:"package-ecosystem"`
			Directory   string
			Directories []string
		}
	}
	if err := yaml.Unmarshal([]byte(read(t, ".github/dependabot.yml")), &config); err != nil {
		t.Fatal(err)
	}
	covered := map[string][]string{}
	for _, update := range config.Updates {
		covered[update.Ecosystem] = append(covered[update.Ecosystem], update.Directories...)
		if update.Directory != "" {
			covered[update.Ecosystem] = append(covered[update.Ecosystem], update.Directory)
		}
	}
	for ecosystem, pattern := range map[string]string{"gomod": "*go.mod", "npm": "*package.json", "docker": "*Dockerfile", "github-actions": ".github/workflows/ci.yml"} {
		listed, err := exec.CommandContext(t.Context(), "git", "-C", root, "ls-files", "--", pattern).Output()
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for file := range strings.Lines(string(listed)) {
			folder := path.Join("/", path.Dir(strings.TrimSpace(file)))
			if ecosystem == "github-actions" {
				folder = "/"
			}
			want = append(want, folder)
		}
		slices.Sort(want)
		slices.Sort(covered[ecosystem])
		if diff := cmp.Diff(want, covered[ecosystem]); diff != "" {
			t.Errorf("%s (-repository +dependabot):\n%s", ecosystem, diff)
		}
	}
}

// each runs a test for each workflow.
func each(t *testing.T, test func(*testing.T, workflow)) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, ".github/workflows/*.y*ml"))
	if err != nil || len(files) < 2 {
		t.Fatalf("%d workflows: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var w workflow
			if err := yaml.Unmarshal(content, &w); err != nil {
				t.Fatal(err)
			}
			test(t, w)
		})
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
