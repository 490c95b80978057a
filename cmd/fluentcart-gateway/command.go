package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"

	"github.com/alecthomas/kong"
)

// The exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2 // the command line or the configuration is wrong
)

// commands is the command line. The flags belong to all commands, so that --help shows them at once.
type commands struct {
	serveConfig

	Serve       struct{}     `cmd:"" default:"1" help:"Serve (the default command)."`
	Healthcheck struct{}     `cmd:"" help:"Ask the gateway at --grpc-addr whether it serves, or with --caller-auth=mtls, where that takes a certificate, the one at --admin-addr; the exit code is the answer."`
	Token       tokenCommand `cmd:"" help:"Make a bearer token for a caller: with --token-file its line is added there and the token printed, without it both are printed."`
	Version     struct{}     `cmd:"" help:"Print the version."`
}

// configError is a configuration that is wrong: nothing was started.
type configError struct{ error }

// Unwrap returns the faults.
func (e *configError) Unwrap() error { return e.error }

// run runs one command, and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return new(commands).run(ctx, args, stdout, stderr)
}

func (line *commands) run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var unreadable flagFaults
	exit := -1
	parser, err := kong.New(line,
		kong.Name("fluentcart-gateway"),
		kong.Description("A gRPC service, with a JSON door, for updating customers of a FluentCart store. Each flag is also an environment variable: FLUENTCART_GATEWAY_, and its name in capitals with underscores."),
		kong.DefaultEnvars("FLUENTCART_GATEWAY"),
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { exit = code }), // after --help
		&unreadable,
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true}),
	)
	if err != nil {
		fmt.Fprintln(stderr, "fluentcart-gateway:", err)
		return exitFailed
	}
	command, err := parser.Parse(args)
	switch {
	case exit >= 0:
		return exit
	case err != nil && len(unreadable.faults) == 0:
		fmt.Fprintf(stderr, "fluentcart-gateway: %v (--help shows what there is)\n", err)
		return exitUsage
	case err != nil:
		return report(&configError{errors.Join(append(unreadable.faults, err)...)}, stderr)
	}

	line.unread = unreadable.flags
	line.unreadable = unreadable.faults // serve tells them with the rest
	if command.Command() != "serve" && len(unreadable.faults) > 0 {
		return report(&configError{errors.Join(unreadable.faults...)}, stderr)
	}
	switch command.Command() {
	case "token <name>":
		err = line.Token.run(line.TokenFile, stdout)
	case "version":
		fmt.Fprintln(stdout, "fluentcart-gateway", version())
	case "healthcheck":
		err = healthcheck(ctx, &line.serveConfig, stdout)
	default:
		err = serve(ctx, &line.serveConfig, stdout, stderr)
	}
	return report(err, stderr)
}

// report prints an error, each of its faults on a line of its own.
func report(err error, stderr io.Writer) int {
	var wrong *configError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &wrong):
		fmt.Fprintln(stderr, "fluentcart-gateway: cannot start:")
		for fault := range strings.Lines(wrong.Error() + "\n") {
			fmt.Fprint(stderr, "  - ", fault)
		}
		return exitUsage
	}
	fmt.Fprintln(stderr, "fluentcart-gateway:", err)
	return exitFailed
}

// version is the module's version, with the commit where it was built from one.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}
