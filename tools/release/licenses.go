package main

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// licenseFile matches the names of files that must go with a binary.
var licenseFile = regexp.MustCompile(`^(?i)(LICEN[SC]E|COPYING|NOTICE)([.-].*)?$`)

// licenses returns the licenses and notices of the modules in a binary, and of Go, as most of them require.
func licenses(ctx context.Context, s *source, info *buildinfo.BuildInfo) ([]byte, error) {
	folders, err := moduleFolders(ctx, s)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	for _, module := range info.Deps {
		if strings.HasPrefix(module.Path, info.Main.Path+"/") {
			continue // of this repository
		}
		if err := appendLicenses(&out, module.Path+" "+module.Version, folders[module.Path]); err != nil {
			return nil, err
		}
	}
	root, err := s.output(ctx, "go", "env", "GOROOT")
	if err != nil {
		return nil, err
	}
	err = appendLicenses(&out, "The Go runtime and standard library", strings.TrimSpace(string(root)))
	return out.Bytes(), err
}

func appendLicenses(out *bytes.Buffer, title, folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return fmt.Errorf("%s: %w", title, err)
	}
	found := false
	for _, entry := range entries {
		if entry.IsDir() || !licenseFile.MatchString(entry.Name()) {
			continue
		}
		content, err := os.ReadFile(filepath.Join(folder, entry.Name())) //nolint:gosec // a file of a module
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "==== %s: %s\n\n%s\n\n", title, entry.Name(), bytes.TrimSpace(content))
		found = true
	}
	if !found {
		return fmt.Errorf("%s has no license in %s", title, folder)
	}
	return nil
}

// moduleFolders returns the folders of the modules, by path.
func moduleFolders(ctx context.Context, s *source) (map[string]string, error) {
	listed, err := s.output(ctx, "go", "list", "-deps", "-json=Module", "./cmd/fluentcart-gateway")
	if err != nil {
		return nil, err
	}
	folders := map[string]string{}
	for decoder := json.NewDecoder(bytes.NewReader(listed)); ; {
		var entry struct{ Module struct{ Path, Dir string } }
		err := decoder.Decode(&entry)
		if errors.Is(err, io.EOF) {
			return folders, nil
		}
		if err != nil {
			return nil, err
		}
		folders[entry.Module.Path] = entry.Module.Dir
	}
}

// output returns what a program prints that runs in the clone.
func (s *source) output(ctx context.Context, name string, args ...string) ([]byte, error) {
	command := exec.CommandContext(ctx, name, args...) //nolint:gosec // the arguments are of this program
	command.Dir, command.Env, command.Stderr = s.folder, s.environment(), os.Stderr
	return command.Output()
}
