package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// The files below deploy/ set the gateway by its environment variables, and each of them has a flag.
func TestDeploymentsUseVariablesThatExist(t *testing.T) {
	parser, err := kong.New(new(commands))
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, flag := range parser.Model.Flags {
		known[variablePrefix+"_"+strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_"))] = true
	}
	variable := regexp.MustCompile(variablePrefix + `_[A-Z_]+`)
	used := 0
	err = filepath.WalkDir(filepath.Join(root, "deploy"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		for _, name := range variable.FindAllString(string(content), -1) {
			if used++; !known[name] {
				t.Errorf("%s: %s is no variable of the gateway", path, name)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if used == 0 {
		t.Error("no variable was found")
	}
}

// The unit gives the gateway no more of the machine than it needs: systemd rates it 2.0 at most, of 10.
func TestSystemdUnitIsHardened(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	unit := filepath.Join(root, "deploy", "systemd", "fluentcart-gateway.service")
	output, err := exec.CommandContext(t.Context(), "systemd-analyze", "security", "--no-pager", "--offline=true", "--threshold=20", unit).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}
