package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
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

	Serve       struct{}     `cmd:"" default:"1" help:"Serve (the default command)."`
	Healthcheck struct{}     `cmd:"" help:"Ask the gateway at --grpc-addr whether it serves. With --caller-auth=mtls, where that address takes a certificate, ask the one at --admin-addr. The exit code is the answer."`
	Token       tokenCommand `cmd:"" help:"Make a bearer token for a caller. With --token-file its line is added there and the token is printed; without it both are printed."`
	Version     struct{}     `cmd:"" help:"Print the version."`
}

// configError joins the faults of a configuration: nothing was started.
type configError struct{ error }

// Unwrap returns the faults.
func (e *configError) Unwrap() error { return e.error }

// run runs one command, and returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	line := &commands{}
	exit := -1
	parser, err := kong.New(line,
		kong.Name("fluentcart-gateway"),
		kong.Description("A gRPC service, with an HTTP/JSON gateway, for updating customers of a FluentCart store. Each flag is also an environment variable: FLUENTCART_GATEWAY_, and its name in capitals with underscores."),
		kong.DefaultEnvars("FLUENTCART_GATEWAY"),
		kong.PostBuild(ignoreEmptyVariables), // after DefaultEnvars, which gives the flags their variables
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { exit = code }), // after --help
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
		fmt.Fprintf(stderr, "fluentcart-gateway: %v%s (--help shows all commands and flags)\n", err, rightValue(parser.Model.Flags, err))
		return exitUsage
	}
	cfg := (*config.Config)(&line.Flags)
	switch command.Command() {
	case "token <name>":
		err = line.Token.run(cfg.TokenFile, stdout)
	case "version":
		fmt.Fprintln(stdout, "fluentcart-gateway", version())
	case "healthcheck":
		err = healthcheck(ctx, cfg, stdout)
	default:
		err = serve(ctx, cfg, stdout, stderr)
	}
	return report(err, stderr)
}

// ignoreEmptyVariables lets an environment variable without a value count as unset: templates of Compose, systemd and
// Kubernetes leave such variables behind, and kong would parse them.
func ignoreEmptyVariables(parser *kong.Kong) error {
	for _, flag := range parser.Model.Flags {
		flag.Tag.Envs = slices.DeleteFunc(flag.Tag.Envs, func(name string) bool {
			return strings.TrimSpace(os.Getenv(name)) == ""
		})
	}
	return nil
}

// rightValue shows a right value of the flag that kong could not parse.
func rightValue(flags []*kong.Flag, err error) string {
	for _, flag := range flags {
		if !strings.HasPrefix(err.Error(), "--"+flag.Name+":") || flag.IsBool() { // the error of a bool lists the right values
			continue
		}
		right := fmt.Sprintf("; give --%s=%s", flag.Name, flag.PlaceHolder)
		if flag.HasDefault {
			right += ", such as " + flag.Default
		}
		return right
	}
	return ""
}

// report prints an error, each fault of a configuration on a line of its own.
func report(err error, stderr io.Writer) int {
	if err == nil {
		return exitOK
	}
	if wrong, ok := errors.AsType[*configError](err); ok {
		fmt.Fprintln(stderr, "fluentcart-gateway: cannot start:")
		for fault := range strings.Lines(wrong.Error() + "\n") {
			fmt.Fprint(stderr, "  - ", fault)
		}
		return exitUsage
	}
	fmt.Fprintln(stderr, "fluentcart-gateway:", err)
	return exitFailed
}

// version is the module's version. A binary that was built in a checkout has its commit.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return cmp.Or(info.Main.Version, "(devel)")
}
