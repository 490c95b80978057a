package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Every retired phrase is found wherever it is written. The examples are built from the table, because this file is
// checked as well.
func TestRetiredWordsAreFound(t *testing.T) {
	search := newSearch()
	for _, row := range retired {
		for _, phrase := range row.phrases {
			parts := strings.FieldsFunc(phrase, func(r rune) bool { return r == ' ' || r == '-' })
			pascal := ""
			for _, part := range parts {
				pascal = fmt.Sprint(pascal, strings.ToUpper(part[:1]), part[1:])
			}
			camel := parts[0] + pascal[len(parts[0]):]
			type example struct{ form, path, text string }
			examples := []example{
				{"in a comment", "service/a.go", "package a\n\n// The gateway says: " + phrase + ".\n"},
				{"in a text", "docs/a.md", "The gateway, " + phrase + ", answers.\n"},
				{"in an error", "a.go", "package a\n\nvar errA = \"first line\\n" + phrase + "\"\n"},
				{"in a file's name", "docs/" + strings.Join(parts, "-") + ".md", ""},
				{"as a name of its own", "a.go", "package a\n\nvar " + camel + " int\n"},
			}
			if !names[phrase] {
				examples = append(examples,
					example{"at the end of a name", "a.go", "func is" + pascal + "() {}\n"},
					example{"at the beginning of a name", "a.go", "const " + camel + "Limit = 1\n"},
					example{"in a name with underscores", "a.proto", "string json_" + strings.Join(parts, "_") + "_id = 1;\n"},
					example{"in the name of a folder", "service/" + strings.Join(parts, "_") + "_a/b.go", ""})
			}
			if !strings.Contains(phrase, "-") {
				examples = append(examples, example{"over two lines of a comment", "a.go", "// The gateway says " + strings.Join(parts, "\n// ") + " here.\n"})
			}
			for _, e := range examples {
				found := search.file(e.path, e.text)
				if len(found) == 0 || found[0].word != phrase || found[0].say != row.say {
					t.Errorf("%s, %s: found %v in %q %q", phrase, e.form, found, e.path, e.text)
				}
			}
		}
	}
}

func TestOrdinaryEnglishPasses(t *testing.T) {
	const text = `
Outdoor tools stand in a corner; the island has a landscape. The caller knows whom to ask, and each one in turn.
The header helps, this history shows it. Space is left. Late writes are rare, and old ones of a later version too.
The rule: as a ruler, it measures. The island lay outside. Take one for each. The crowd is out of sight, unlike a proof.
aGVsbG8he+His/Pace= is base64; 0xhe, the_he_9 and %he are encoded. The process returns a finding. Out it goes.
`
	for _, path := range []string{"docs/stranded.md", "service/history/space_test.go", "proto/shop.proto"} {
		if found := newSearch().file(path, text); len(found) > 0 {
			t.Errorf("%s: found %v", path, found)
		}
	}
}

func TestPunctuationSeparatesThePartsOfAPhrase(t *testing.T) {
	for _, text := range []string{"It is sent as a. Rule two follows.", "the list of, late as it is", "as a - rule"} {
		if found := newSearch().file("a.md", text); len(found) > 0 {
			t.Errorf("%q: found %v", text, found)
		}
	}
}

func TestSentencesWithWhoOrWhatAsSubject(t *testing.T) {
	for name, row := range map[string]struct {
		path, text string
		want       []int // the lines
	}{
		"a comment":                       {"a.go", "package a\n\n// What fails is logged.\n", []int{3}},
		"a second sentence":               {"a.go", "// A call fails. Who made it is logged.\n", []int{1}},
		"a second line":                   {"a.go", "// A call fails.\n// Who made it, see caller.go, is logged.\n", []int{2}},
		"a comment behind code":           {"a.go", "a := 1 /" + "/ What is left\n", []int{1}},
		"a comment in a proto file":       {"a.proto", "message A {\n  /" + "/ What is left.\n}\n", []int{2}},
		"a paragraph":                     {"a.md", "A call fails.\nWhat fails is logged. Who made it, too.\n", []int{2, 2}},
		"an item of a list":               {"a.md", "- A call fails.\n- What fails is logged.\n1. Who made it is.\n", []int{2, 3}},
		"a sentence in a table":           {"a.md", "| a | What fails is logged. |\n", []int{1}},
		"a question in a comment":         {"a.go", "// What fails?\n", nil},
		"a question in a text":            {"a.md", "What fails? Who made it?\n", nil},
		"within a sentence":               {"a.go", "// The log says what failed, and who made the call.\n", nil},
		"a word that begins like one":     {"a.go", "// Whole rows are written. Whatever fails is logged. Whose row it is, too.\n", nil},
		"the title of a page":             {"a.md", "# What fails\n\n**What fails.** It is logged.\n", nil},
		"the head of a table":             {"a.md", "| What fails | Who made it |\n", nil},
		"code in a text":                  {"a.md", "```\nWhat fails is logged.\n```\n", nil},
		"a text that is not a comment":    {"a.go", "var a = \"What fails is logged.\"\n", nil},
		"a file of another kind":          {"a.json", "\"What fails is logged.\"\n", nil},
		"a comment after an empty line":   {"a.go", "// A call fails\n//\n// What fails is logged.\n", []int{3}},
		"a paragraph that a code follows": {"a.md", "A call fails.\n\n```\nmake\n```\nWhat fails is logged.\n", []int{6}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []int
			for _, f := range newSearch().file(row.path, row.text) {
				got = append(got, f.line)
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
		})
	}
}

// Files that are not tracked, generated code, sums, the licence, recordings and the list itself are left out.
func TestTrackedFilesAreChecked(t *testing.T) {
	root := t.TempDir()
	word := retired[0].phrases[0]
	for _, path := range []string{
		"a.go", "docs/" + word + ".md", "gen/api.json", "gen/api.go", "go.sum", "tools/go.sum", "LICENSE", "docs/glossary.md",
		"tools/words/retired.go", "service/sandbox/testdata/recordings.json", "service/deleted.go",
	} {
		write(t, filepath.Join(root, path), "first line\nthe "+word+"\n")
	}
	for _, args := range [][]string{{"init", "--quiet"}, {"add", "."}} {
		if printed, err := exec.CommandContext(t.Context(), "git", append([]string{"-C", root}, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, printed)
		}
	}
	write(t, filepath.Join(root, "untracked.go"), word)
	if err := os.Remove(filepath.Join(root, "service/deleted.go")); err != nil {
		t.Fatal(err)
	}

	var out strings.Builder
	found, err := run(t.Context(), root, &out)
	if err != nil {
		t.Fatal(err)
	}
	rest := word + ": say " + retired[0].say + "\n"
	want := "a.go:2: " + rest + "docs/" + word + ".md:0: " + rest + "docs/" + word + ".md:2: " + rest + "gen/api.json:2: " + rest
	if diff := cmp.Diff(want, out.String()); diff != "" || found != 4 {
		t.Errorf("%d findings (-want +got):\n%s", found, diff)
	}
}

func TestFolderOutsideGitIsAnError(t *testing.T) {
	t.Setenv("GIT_CEILING_DIRECTORIES", os.TempDir())
	if _, err := run(t.Context(), t.TempDir(), &strings.Builder{}); err == nil || !strings.Contains(err.Error(), "must be a git work tree") {
		t.Errorf("got %v", err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
