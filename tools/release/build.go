package main

import (
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/modfile"
)

// source is a clone of the last commit.
type source struct {
	folder    string
	commit    string
	created   time.Time
	toolchain string // of go.mod
}

// clone returns a clone of the last commit with the tag of the version, from which the binary gets its version.
func (r *release) clone(ctx context.Context) (*source, func(), error) {
	parent, err := os.MkdirTemp("", "release")
	if err != nil {
		return nil, nil, err
	}
	remove := func() { _ = os.RemoveAll(parent) }
	s := &source{folder: filepath.Join(parent, "source")}
	for _, args := range [][]string{
		{"clone", "--quiet", ".", s.folder},
		{"-C", s.folder, "tag", "--force", "--no-sign", r.version},
	} {
		if _, err := git(ctx, r.root, args...); err != nil {
			remove()
			return nil, nil, err
		}
	}
	if err := s.describe(ctx); err != nil {
		remove()
		return nil, nil, err
	}
	return s, remove, nil
}

// describe reads the commit and the compiler.
func (s *source) describe(ctx context.Context) error {
	text, err := git(ctx, s.folder, "log", "-1", "--format=%H %ct")
	if err != nil {
		return err
	}
	commit, seconds, _ := strings.Cut(text, " ")
	unix, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return err
	}
	s.commit, s.created = commit, time.Unix(unix, 0).UTC()
	module, err := os.ReadFile(filepath.Join(s.folder, "go.mod"))
	if err != nil {
		return err
	}
	parsed, err := modfile.Parse("go.mod", module, nil)
	if err != nil {
		return err
	}
	if parsed.Toolchain == nil {
		return errors.New("go.mod has no toolchain line, which says by which Go version the binary is built")
	}
	s.toolchain = parsed.Toolchain.Name
	return nil
}

// do runs a program in the clone.
func (s *source) do(ctx context.Context, variables []string, name string, args ...string) error {
	command := exec.CommandContext(ctx, name, args...) //nolint:gosec // the arguments are of this program
	command.Dir, command.Env = s.folder, append(s.environment(), variables...)
	command.Stdout, command.Stderr = os.Stderr, os.Stderr
	if err := command.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return nil
}

// environment returns the variables of all programs. The compiler is that of go.mod, as in the Makefile. The variables of a make
// that runs this program are left out: a second make would take them for its own.
func (s *source) environment() []string {
	variables := slices.DeleteFunc(os.Environ(), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return slices.Contains([]string{"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "GOOS", "GOARCH"}, name)
	})
	return append(variables, "SOURCE_DATE_EPOCH="+strconv.FormatInt(s.created.Unix(), 10), "GOTOOLCHAIN="+s.toolchain)
}

// archive builds the binary of a platform, and writes its archive and its bills of materials.
func (r *release) archive(ctx context.Context, s *source, platform string) error {
	system, architecture, found := strings.Cut(platform, "/")
	if !found {
		return errors.New("a platform is a system and an architecture, such as linux/amd64")
	}
	if err := s.do(ctx, []string{"GOOS=" + system, "GOARCH=" + architecture}, "make", "--no-print-directory", "build"); err != nil {
		return err
	}
	binary := filepath.Join(s.folder, "bin", "fluentcart-gateway")
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return err
	}
	if info.Main.Version != r.version {
		return fmt.Errorf("the binary has the version %s, want %s", info.Main.Version, r.version)
	}
	if info.GoVersion != s.toolchain {
		return fmt.Errorf("the binary was built by %s, want %s", info.GoVersion, s.toolchain)
	}
	out, err := filepath.Abs(r.file(system + "_" + architecture))
	if err != nil {
		return err
	}
	if err := s.do(ctx, nil, "go", "-C", "tools", "run", "./sbom", binary, out+".cdx.json", out+".spdx.json"); err != nil {
		return err
	}
	files, err := packed(ctx, s, system)
	if err != nil {
		return err
	}
	licenses, err := licenses(ctx, s, info)
	if err != nil {
		return err
	}
	files = append(files, packedFile{name: "THIRD_PARTY_LICENSES", content: licenses, mode: 0o644})
	return writeArchive(out+".tar.gz", filepath.Base(out), files, s.created)
}

// protos writes the archive of the API definition.
func (r *release) protos(ctx context.Context, s *source) error {
	if err := s.do(ctx, nil, "make", "--no-print-directory", "protos"); err != nil {
		return err
	}
	return move(filepath.Join(s.folder, "bin", "fluentcart-gateway-protos.tar.gz"), r.file("protos.tar.gz"))
}

// image writes the image for the platforms that have Linux.
func (r *release) image(ctx context.Context, s *source) error {
	platforms := slices.DeleteFunc(slices.Clone(r.platforms), func(platform string) bool { return !strings.HasPrefix(platform, "linux/") })
	if len(platforms) == 0 {
		return nil
	}
	file, err := filepath.Abs(r.file("image.tar"))
	if err != nil {
		return err
	}
	return s.do(ctx, nil, "go", "-C", "tools/image", "run", ".", "-platforms", strings.Join(platforms, ","), "-version", r.version, file)
}

// move moves a file, also to another file system.
func move(from, to string) error {
	content, err := os.ReadFile(from) //nolint:gosec // a file that was built
	if err != nil {
		return err
	}
	return os.WriteFile(to, content, 0o644) //nolint:gosec // for everyone to read
}
