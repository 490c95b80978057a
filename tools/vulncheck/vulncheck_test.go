package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// entry is an invented vulnerability in the standard library, so that no vulnerable module has to be downloaded.
const entry = `{
	"schema_version": "1.3.1",
	"id": "GO-0000-0001",
	"modified": "2026-01-01T00:00:00Z",
	"published": "2026-01-01T00:00:00Z",
	"summary": "Parse is vulnerable in this test",
	"database_specific": {"url": "https://example.com/GO-0000-0001"},
	"affected": [{
		"package": {"name": "stdlib", "ecosystem": "Go"},
		"ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}]}],
		"ecosystem_specific": {"imports": [{"path": "text/template/parse", "symbols": ["Parse"]}]}
	}]
}`

const (
	calls = "package main\n\nimport \"text/template/parse\"\n\nfunc main() { parse.Parse(\"\", \"\", \"\", \"\") }\n"
	keeps = "package main\n\nimport \"text/template/parse\"\n\nfunc main() { _ = parse.NodeText }\n"
)

func TestOnlyCalledCodeFails(t *testing.T) {
	osv := t.TempDir()
	write(t, filepath.Join(osv, "GO-0000-0001.json"), entry)
	for _, row := range []struct {
		name, source string
		want         error
	}{
		{"a vulnerable function that is called", calls, errFound},
		{"a package of which only other symbols are used", keeps, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			module := t.TempDir()
			write(t, filepath.Join(module, "go.mod"), "module example.com/program\n\ngo 1.26.0\n")
			write(t, filepath.Join(module, "main.go"), row.source)
			binary := filepath.Join(t.TempDir(), "program")
			command(t.Context(), t, module, "go", "build", "-o", binary, ".")
			for _, target := range []string{module, binary} {
				var report strings.Builder
				if err := search(t.Context(), osv, target, &report); !errors.Is(err, row.want) {
					t.Errorf("%s: %v, want %v; the report:\n%s", target, err, row.want, report.String())
				}
				if got := strings.Contains(report.String(), "GO-0000-0001"); got != (row.want != nil) {
					t.Errorf("%s: the report names it: %t; the report:\n%s", target, got, report.String())
				}
			}
		})
	}
}

// With the real database, a real vulnerability in a real module fails the check.
func TestNewestDatabaseHasAnOldVulnerability(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	db, err := newestDatabase(ctx)
	if err != nil {
		if os.Getenv("CI") == "" {
			t.Skip(err)
		}
		t.Fatal(err)
	}
	module := t.TempDir()
	write(t, filepath.Join(module, "go.mod"), "module example.com/program\n\ngo 1.26.0\n\nrequire golang.org/x/text v0.3.6\n")
	write(t, filepath.Join(module, "main.go"), "package main\n\nimport \"golang.org/x/text/language\"\n\nfunc main() { language.ParseAcceptLanguage(\"\") }\n")
	command(ctx, t, module, "go", "mod", "tidy")
	var report strings.Builder
	if err := search(ctx, db.osv, module, &report); !errors.Is(err, errFound) {
		t.Errorf("got %v, want %v", err, errFound)
	}
	if !strings.Contains(report.String(), "GO-2021-0113") {
		t.Errorf("GO-2021-0113, which golang.org/x/text had until 0.3.7, is not in:\n%s", report.String())
	}
}

func TestIncompleteDatabaseIsAnError(t *testing.T) {
	folder := t.TempDir()
	write(t, filepath.Join(folder, "GO-0000-0001.json"), entry)
	if err := checkEntries(folder, 1); err != nil {
		t.Error(err)
	}
	if err := checkEntries(folder, 2); err == nil || !strings.Contains(err.Error(), "holds 1 vulnerabilities") {
		t.Errorf("got %v", err)
	}
	if err := checkEntries(filepath.Join(folder, "moved"), 1); err == nil {
		t.Error("a missing folder is accepted")
	}
}

func TestMissingTargetIsAnError(t *testing.T) {
	var report strings.Builder
	if err := search(t.Context(), t.TempDir(), filepath.Join(t.TempDir(), "program"), &report); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func command(ctx context.Context, t *testing.T, dir, name string, args ...string) {
	t.Helper()
	process := exec.CommandContext(ctx, name, args...)
	process.Dir = dir
	if printed, err := process.CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, printed)
	}
}
