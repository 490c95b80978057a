// Words fails if a file of the repository uses a word that the glossary has replaced, or begins a sentence with "Who" or
// "What" as its subject.
//
//	go run ./words <root of the repository>
//
// It checks the files that git tracks: their text and their names. Each finding is one line on stdout,
//
//	path:line: word: what to say instead
//
// where line 0 is the path, and the exit code is 1 if there is one. Every finding must be reworded: there is no way to
// exempt a line. The words are in retired.go.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: words <root of the repository>")
		os.Exit(2)
	}
	found, err := run(context.Background(), os.Args[1], os.Stdout)
	if err == nil && found > 0 {
		err = fmt.Errorf("%d to reword; docs/glossary.md explains the words", found)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "words:", err)
		os.Exit(1)
	}
}

// run checks all tracked files below root, and returns the number of findings that it has written to stdout. It leaves
// out what is not ours to reword: generated code, sums, the licence, what a real store answered, and the two lists of
// the retired words.
func run(ctx context.Context, root string, stdout io.Writer) (int, error) {
	listed, err := exec.CommandContext(ctx, "git", "-C", root, "ls-files", "-z", "--", ".", ":!gen/*.go", ":!*go.sum", ":!LICENSE", //nolint:gosec // the directory that the command line names
		":!service/sandbox/testdata/recordings.json", ":!docs/glossary.md", ":!tools/words/retired.go").Output()
	if err != nil {
		return 0, fmt.Errorf("%s must be a git work tree: %w", root, err)
	}
	search, found := newSearch(), 0
	for path := range strings.SplitSeq(strings.TrimSuffix(string(listed), "\x00"), "\x00") {
		content, err := os.ReadFile(filepath.Join(root, path)) //nolint:gosec // a file that git tracks
		if errors.Is(err, fs.ErrNotExist) {
			continue // it is deleted, and the deletion not committed yet
		}
		if err != nil {
			return found, err
		}
		for _, finding := range search.file(path, string(content)) {
			fmt.Fprintf(stdout, "%s:%d: %s: say %s\n", path, finding.line, finding.word, finding.say)
			found++
		}
	}
	return found, nil
}
