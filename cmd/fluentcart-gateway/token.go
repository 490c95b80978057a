package main

import (
	"fmt"
	"io"
	"os"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/filereload"
)

// tokenCommand makes a token for a caller.
type tokenCommand struct {
	Name string `arg:"" help:"Name of the caller, for the log and the metrics."`
	May  string `placeholder:"FIELDS" help:"Which of status and user_id the caller may change: one of them, both separated by a comma, or - for neither. Without it: the same as the caller's other tokens, else status, and with --allow-user-link user_id."`
}

// run prints a new token. It adds the token's line to the file at path, or prints it if there is no path.
func (t *tokenCommand) run(path string, stdout io.Writer) error {
	var may *auth.Permissions
	if t.May != "" {
		given, err := auth.ParsePermissions(t.May)
		if err != nil {
			return fmt.Errorf("--may=%s: %w", t.May, err)
		}
		may = &given
	}
	token, line, err := auth.NewToken(t.Name, may)
	if err != nil {
		return err
	}
	if path == "" {
		fmt.Fprintf(stdout, "token  %s\nline   %s\n\nGive the token to the caller; it cannot be shown again. Add the line to the file of --token-file.\n", token.Reveal(), line)
		return nil
	}
	if err := addTo(path, line); err != nil {
		return fmt.Errorf("--token-file: %w", err)
	}
	fmt.Fprintln(stdout, token.Reveal())
	return nil
}

// addTo adds a line to a file of tokens, or creates one that only its owner can read. If the file would not be valid as a
// whole, it stays as it is.
func addTo(path, line string) error {
	before, err := os.ReadFile(path) //nolint:gosec // the operator names it
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	text, err := filereload.Text(before)
	if err != nil {
		return fmt.Errorf("%s %w; nothing was added", path, err)
	}
	if len(before) > 0 && before[len(before)-1] != '\n' {
		line = "\n" + line
	}
	if _, err := auth.ParseTokens(append(text, line...), auth.Permissions{}); err != nil {
		return fmt.Errorf("%s: %w; nothing was added", path, err)
	}
	return appendLine(path, line)
}

func appendLine(path, line string) error {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600) //nolint:gosec // the operator names it
	if err != nil {
		return err
	}
	if _, err = file.WriteString(line + "\n"); err != nil {
		_ = file.Close() // the write's error says more
		return err
	}
	return file.Close()
}
