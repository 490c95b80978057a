package compose

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
)

// deploy is the directory of the deployments.
func deploy(t testing.TB) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", "..", "deploy"))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// readProject reads compose.yaml as Docker Compose does: it must be as the schema says.
func readProject(t testing.TB) *types.Project {
	t.Helper()
	directory := filepath.Join(deploy(t), "compose")
	project, err := loader.LoadWithContext(t.Context(), types.ConfigDetails{
		WorkingDir:  directory,
		ConfigFiles: []types.ConfigFile{{Filename: filepath.Join(directory, "compose.yaml")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return project
}

func TestFilesThatAreMountedExist(t *testing.T) {
	project := readProject(t)
	var paths []string
	for name, service := range project.Services {
		for _, volume := range service.Volumes {
			if volume.Type == types.VolumeTypeBind {
				paths = append(paths, volume.Source)
				if !volume.ReadOnly {
					t.Errorf("%s may write into %s", name, volume.Source)
				}
			}
		}
		if service.Build != nil {
			paths = append(paths, filepath.Join(service.Build.Context, service.Build.Dockerfile))
		}
	}
	for _, secret := range project.Secrets {
		paths = append(paths, secret.File)
	}
	if len(paths) < 5 {
		t.Errorf("only %d files: %v", len(paths), paths)
	}
	for _, path := range paths {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
}

// Without authentication nothing is published to other machines.
func TestPortsArePublishedOnceAndOnThisMachineOnly(t *testing.T) {
	published := map[string]string{}
	for name, service := range readProject(t).Services {
		for _, port := range service.Ports {
			if port.HostIP != "127.0.0.1" {
				t.Errorf("%s publishes %s on %q", name, port.Published, port.HostIP)
			}
			if other, taken := published[port.Published]; taken {
				t.Errorf("%s and %s publish %s", name, other, port.Published)
			}
			published[port.Published] = name
		}
	}
	if len(published) != 7 {
		t.Errorf("published: %v", published)
	}
}

func TestServicesHaveNoPrivileges(t *testing.T) {
	for name, service := range readProject(t).Services {
		user, _, _ := strings.Cut(service.User, ":")
		if user == "" || user == "0" || user == "root" || !service.ReadOnly || !slices.Equal(service.CapDrop, []string{"ALL"}) ||
			!slices.Equal(service.SecurityOpt, []string{"no-new-privileges:true"}) || service.Privileged {
			t.Errorf("%s: user %s, read-only %t, without capabilities %v, %v", name, service.User, service.ReadOnly, service.CapDrop, service.SecurityOpt)
		}
	}
}

func TestPrometheusAcceptsItsConfiguration(t *testing.T) {
	needs(t, "promtool")
	output, err := exec.CommandContext(t.Context(), "promtool", "check", "config", filepath.Join(deploy(t), "prometheus", "prometheus.yml")).CombinedOutput()
	if err != nil || !strings.Contains(string(output), "rule files found") {
		t.Errorf("%v\n%s", err, output)
	}
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
