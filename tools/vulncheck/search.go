package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"

	"golang.org/x/vuln/scan"
)

// errFound is the error of a search that found vulnerable code that is called.
var errFound = errors.New("code with known vulnerabilities is called: upgrade it, or the toolchain in go.mod, to what is \"Fixed in\"")

// foundCode is govulncheck's exit code for errFound.
const foundCode = 3

// search runs govulncheck, whose report goes to stdout. Vulnerable code that is required but not called is counted in the
// report and is not an error: most of it is in packages that the program does not use, of modules that it does use.
func search(ctx context.Context, osv, target string, stdout io.Writer) error {
	info, err := os.Stat(target) //nolint:gosec // the target that the command line names
	if err != nil {
		return err
	}
	db := (&url.URL{Scheme: "file", Path: osv}).String()
	args := []string{"-db", db, "-mode=binary", target}
	if info.IsDir() {
		args = []string{"-db", db, "-C", target, "./..."}
	}
	command := scan.Command(ctx, args...)
	command.Stdout, command.Stderr = stdout, stdout
	if err := command.Start(); err != nil {
		return err
	}
	err = command.Wait()
	var exit interface{ ExitCode() int }
	switch {
	case err == nil:
		return nil
	case errors.As(err, &exit) && exit.ExitCode() == foundCode:
		return errFound
	default:
		return fmt.Errorf("govulncheck: %w", err)
	}
}
