package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestReleaseIsRefusedUnlessTheTagIsOnACommitWithoutChanges(t *testing.T) {
	for _, row := range []struct {
		name, version, changelog string
		tag                      string
		dirty, untagged          bool
		says                     []string
	}{
		{name: "a tagged commit", version: "v1.2.3", changelog: "## 1.2.3 (2026-12-01)", tag: "v1.2.3"},
		{name: "a candidate, for which the changelog has no heading", version: "v1.2.3-rc.1", changelog: "## 1.2.3 (unreleased)", tag: "v1.2.3-rc.1"},
		{name: "no version", says: []string{`the version "" is none: give one of three numbers, such as VERSION=v0.1.0`}},
		{name: "a version without the v", version: "1.2.3", says: []string{`"1.2.3" is none`}},
		{name: "a version of two numbers", version: "v1.2", says: []string{`"v1.2" is none`}},
		{name: "a version with a name of a build, which a tag of a module cannot have", version: "v1.2.3+4", says: []string{`"v1.2.3+4" is none`}},
		{
			name: "all that is wrong at once", version: "v1.2.3", changelog: "## 1.2.3 (unreleased)", tag: "v1.2.2", dirty: true,
			says: []string{"the work tree has changes: commit them, or remove them:\n?? change", "does not have the tag v1.2.3: `git tag v1.2.3`", `CHANGELOG.md has no heading "## 1.2.3" with the date`, "UNTAGGED=1"},
		},
		{name: "a heading of another version", version: "v1.2.3", changelog: "## 1.2.30 (2026-12-01)", tag: "v1.2.3", says: []string{"CHANGELOG.md has no heading"}},
		{name: "all that without a tag", version: "v1.2.3", changelog: "## 1.2.3 (unreleased)", dirty: true, untagged: true},
		{name: "no version without a tag", untagged: true, says: []string{"is none"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			folder := t.TempDir()
			write(t, filepath.Join(folder, "CHANGELOG.md"), "# Changelog\n\n"+row.changelog+"\n")
			commands := [][]string{{"init", "--quiet"}, {"add", "."}, {"-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "--quiet", "--message=first"}}
			if row.tag != "" {
				commands = append(commands, []string{"tag", row.tag})
			}
			for _, args := range commands {
				if output, err := exec.CommandContext(t.Context(), "git", append([]string{"-C", folder}, args...)...).CombinedOutput(); err != nil {
					t.Fatalf("%v\n%s", err, output)
				}
			}
			if row.dirty {
				write(t, filepath.Join(folder, "change"), "")
			}
			r := release{root: folder, version: row.version, untagged: row.untagged}
			err := r.check(t.Context())
			if (err != nil) != (row.says != nil) {
				t.Fatal(err)
			}
			for _, says := range row.says {
				if !strings.Contains(err.Error(), says) {
					t.Errorf("without %q: %v", says, err)
				}
			}
		})
	}
}

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
