package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/fluentcart-gateway/fluentcart-gateway/cmd/fluentcart-gateway/config"
)

// The exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2 // the command line or the configuration is wrong
)

// commands defines the command line. The flags belong to all commands, so that one --help shows them all.
type commands struct {
	config.Flags

	ShowVersion kong.VersionFlag `name:"version" short:"v" env:"-" help:"Print the version."`

	Serve       struct{}     `cmd:"" default:"1" help:"Serve (the default command)."`
	Healthcheck struct{}     `cmd:"" help:"Ask the gateway at --grpc-addr whether it serves. With --caller-auth=mtls, where that address takes a certificate, ask the one at --admin-addr. The exit code is the answer."`
	Token       tokenCommand `cmd:"" help:"Make a bearer token for a caller. With --token-file its line is added there and the token is printed; without it both are printed."`
	Version     struct{}     `cmd:"" help:"Print the version."`
	Help        helpCommand  `cmd:"" help:"Show this help, or that of a command."`
}

// configError joins the faults of a configuration: nothing was started.
type configError struct{ error }

// Unwrap returns the faults.
func (e *configError) Unwrap() error { return e.error }

// run runs one command, and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	line := &commands{}
	exit := -1
	var known variables
	parser, err := kong.New(line,
		kong.Name("fluentcart-gateway"),
		kong.Description("A gRPC service, with an HTTP/JSON gateway, for updating customers of a FluentCart store. Each flag is also an environment variable: FLUENTCART_GATEWAY_, and its name in capitals with underscores."),
		kong.Vars{"version": "fluentcart-gateway " + version()},
		kong.DefaultEnvars(variablePrefix),
		kong.PostBuild(known.read), // after DefaultEnvars, which gives the flags their variables
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { exit = code }), // after --help and --version
		kong.Help(printHelp),
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
	case err != nil:
		fmt.Fprintf(stderr, "fluentcart-gateway: %s (--help shows all commands and flags)\n", explain(parser.Model, args, err))
		return exitUsage
	}
	if command.Command() == "version" {
		fmt.Fprintln(stdout, "fluentcart-gateway", version())
		return exitOK
	}
	if faults := known.unknown(os.Environ()); faults != nil {
		return reportFaults("wrong configuration", faults, stderr)
	}
	cfg := (*config.Config)(&line.Flags)
	switch command.Command() {
	case "token <name>":
		err = line.Token.run(cfg.TokenFile, stdout)
	case "healthcheck":
		err = healthcheck(ctx, cfg, stdout)
	default:
		err = serve(ctx, cfg, stdout, stderr)
	}
	return report(err, stderr)
}

// report prints an error, each fault of a configuration on a line of its own.
func report(err error, stderr io.Writer) int {
	if err == nil {
		return exitOK
	}
	if wrong, ok := errors.AsType[*configError](err); ok {
		return reportFaults("cannot start", wrong, stderr)
	}
	fmt.Fprintln(stderr, "fluentcart-gateway:", err)
	return exitFailed
}

// reportFaults prints the faults of a configuration.
func reportFaults(what string, faults error, stderr io.Writer) int {
	fmt.Fprintf(stderr, "fluentcart-gateway: %s:\n", what)
	for fault := range strings.Lines(faults.Error() + "\n") {
		fmt.Fprint(stderr, "  - ", fault)
	}
	return exitUsage
}

// version is the module's version. A binary that was built in a checkout has its commit.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return cmp.Or(info.Main.Version, "(devel)")
}
