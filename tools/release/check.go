package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/semver"
)

// check returns all reasons why the version must not be released from this work tree.
func (r *release) check(ctx context.Context) error {
	if semver.Canonical(r.version) != r.version || r.version == "" {
		return fmt.Errorf("the version %q is none: give one of three numbers, such as VERSION=v0.1.0 or VERSION=v0.1.0-rc.1", r.version)
	}
	if r.untagged {
		return nil
	}
	var faults []error
	changes, err := git(ctx, r.root, "status", "--porcelain")
	if err != nil {
		return err
	}
	if changes != "" {
		faults = append(faults, fmt.Errorf("the work tree has changes: commit them, or remove them:\n%s", changes))
	}
	tags, err := git(ctx, r.root, "tag", "--points-at", "HEAD")
	if err != nil {
		return err
	}
	if !slices.Contains(strings.Fields(tags), r.version) {
		faults = append(faults, fmt.Errorf("the last commit does not have the tag %s: `git tag %[1]s`, or check that one out", r.version))
	}
	changelog, err := os.ReadFile(filepath.Join(r.root, "CHANGELOG.md"))
	if err != nil {
		return err
	}
	heading := "\n## " + strings.TrimPrefix(r.version, "v") + " "
	if _, rest, found := bytes.Cut(changelog, []byte(heading)); semver.Prerelease(r.version) == "" && (!found || bytes.HasPrefix(rest, []byte("(unreleased)"))) {
		faults = append(faults, fmt.Errorf("CHANGELOG.md has no heading %q with the date of the release: write it", strings.TrimSpace(heading)))
	}
	if len(faults) > 0 {
		faults = append(faults, errors.New("to try a release without all that: UNTAGGED=1"))
	}
	return errors.Join(faults...)
}

// git returns the output of git.
func git(ctx context.Context, folder string, args ...string) (string, error) {
	output, err := exec.CommandContext(ctx, "git", append([]string{"-C", folder}, args...)...).Output() //nolint:gosec // the arguments are of this program
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		return "", fmt.Errorf("git %s: %w: %s", strings.Join(args, " "), err, failed.Stderr)
	}
	return strings.TrimRight(string(output), "\n"), err
}
