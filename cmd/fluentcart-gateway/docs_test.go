package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/apierror"
)

// root is the directory of the repository, as these tests see it.
const root = "../.."

const modulePath = "github.com/fluentcart-gateway/fluentcart-gateway/"

func TestArchitectureListsEveryPackageWithItsDocumentation(t *testing.T) {
	listed, err := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.ImportPath}}\t{{.Doc}}", modulePath+"...").Output()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"", "| path | package |", "|---|---|"}
	for line := range strings.Lines(string(listed)) {
		path, doc, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), modulePath), "\t")
		if strings.HasPrefix(path, "gen/") { // its documentation is a generator's
			continue
		}
		if doc == "" {
			t.Errorf("%s has no package documentation", path)
		}
		want = append(want, fmt.Sprintf("| `%s` | %s |", path, doc))
	}
	want = append(want, "", "")
	_, rest, _ := strings.Cut(readDoc(t, "docs/architecture.md"), "<!-- packages -->\n")
	table, _, _ := strings.Cut(rest, "<!-- /packages -->")
	if diff := cmp.Diff(want, strings.Split(table, "\n")); diff != "" {
		t.Errorf("packages (-want +got):\n%s\nThe table must be:\n%s", diff, strings.Join(want, "\n"))
	}
}

func TestConfigurationListsEveryFlagWithItsDefault(t *testing.T) {
	parser, err := kong.New(new(commands))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, flag := range parser.Model.Flags {
		if !isAnswer(flag) {
			want[flag.Name] = flag.Default
		}
	}
	got := map[string]string{}
	row := regexp.MustCompile("(?m)^\\| `--([a-z-]+)` \\| (?:`(.*?)`)? \\| .+ \\|$")
	for _, cells := range row.FindAllStringSubmatch(readDoc(t, "docs/configuration.md"), -1) {
		got[cells[1]] = cells[2]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("flags and defaults (-want +got):\n%s", diff)
	}
}

func TestErrorsListsEveryReasonWithItsCodeAndStatus(t *testing.T) {
	source := readDoc(t, "service/apierror/reason.go")
	want := map[string]string{}
	for _, constant := range regexp.MustCompile(`Reason = "([A-Z_]+)"`).FindAllStringSubmatch(source, -1) {
		s := apierror.New(apierror.Reason(constant[1]), apierror.NotSent, "").GRPCStatus()
		httpStatus, known := apierror.HTTPStatus(s)
		if !known {
			t.Errorf("%s is not in the error table", constant[1])
		}
		want[constant[1]] = fmt.Sprintf("%s %d", strings.ToUpper(underscored(s.Code().String())), httpStatus)
	}
	got := map[string]string{}
	row := regexp.MustCompile("(?m)^\\| `([A-Z_]+)` \\| `([A-Z_]+)` \\| ([0-9]+) \\| `(not_sent|rejected|unknown)` \\| .+ \\| .+ \\|$")
	for _, cells := range row.FindAllStringSubmatch(readDoc(t, "docs/errors.md"), -1) {
		got[cells[1]] = cells[2] + " " + cells[3]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("reasons (-want +got):\n%s", diff)
	}
}

// underscored returns the words of a name in CamelCase with underscores between. gRPC spells CANCELLED with two L's in
// its protocol and with one in Go.
func underscored(name string) string {
	return regexp.MustCompile(`([a-z])([A-Z])`).ReplaceAllString(strings.Replace(name, "Canceled", "Cancelled", 1), "${1}_${2}")
}

// A README that does not fit on a few screens is not read.
func TestReadmeIsShort(t *testing.T) {
	if n := utf8.RuneCountInString(readDoc(t, "README.md")); n > 7000 {
		t.Errorf("README.md has %d characters; 7000 is the limit", n)
	}
}

func TestLinksBetweenDocumentsResolve(t *testing.T) {
	pages, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"} {
		pages = append(pages, filepath.Join(root, name))
	}
	link := regexp.MustCompile(`\]\(([^)]+)\)`)
	for _, page := range pages {
		content, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range link.FindAllStringSubmatch(string(content), -1) {
			target, anchor, _ := strings.Cut(found[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			file := page
			if target != "" {
				file = filepath.Join(filepath.Dir(page), target)
			}
			if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s links to %s, which does not exist", page, found[1])
			} else if anchor != "" && !hasHeading(t, file, anchor) {
				t.Errorf("%s links to %s, which has no such heading", page, found[1])
			}
		}
	}
}

// hasHeading reports whether a page has a heading with this anchor, as GitHub makes anchors of headings.
func hasHeading(t *testing.T, file, anchor string) bool {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(string(content), -1) {
		words := regexp.MustCompile(`[^a-z0-9 _-]`).ReplaceAllString(strings.ToLower(heading[1]), "")
		if strings.ReplaceAll(words, " ", "-") == anchor {
			return true
		}
	}
	return false
}

func readDoc(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
