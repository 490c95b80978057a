// Vulncheck looks for known vulnerabilities in the code that modules and binaries call, with the newest database that
// the Go module proxy has, and fails if there are any.
//
//	go run ./vulncheck <directory of a module or path of a binary>...
//
// In a module it follows the calls. In a binary it reads the symbols that the linker kept, and the version of Go.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	os.Exit(start())
}

func start() int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: vulncheck <directory of a module or path of a binary>...")
		return 2
	}
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "vulncheck:", err)
		return 1
	}
	return 0
}

// run searches all targets, even if the first has vulnerabilities.
func run(ctx context.Context, targets []string, stdout io.Writer) error {
	db, err := newestDatabase(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s %s of %s\n", databaseModule, db.version, db.made.Format("2006-01-02"))
	var faults []error
	for _, target := range targets {
		fmt.Fprintf(stdout, "\n%s\n", target)
		if err := search(ctx, db.osv, target, stdout); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", target, err))
		}
	}
	return errors.Join(faults...)
}
