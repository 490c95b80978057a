package main

import (
	"slices"

	"github.com/alecthomas/kong"
)

// helpCommand prints the help of a command.
type helpCommand struct {
	Command string `arg:"" optional:"" help:"Command to show the help of. Without it: all commands and flags."`
}

// BeforeReset prints the help that --help would print, before the environment is read, so that a fault there does not matter.
func (*helpCommand) BeforeReset(parser *kong.Kong, trace *kong.Context) error {
	if slices.ContainsFunc(trace.Path, func(given *kong.Path) bool { return given.Flag != nil && isAnswer(given.Flag) }) {
		return nil // the flag's own hook prints it
	}
	args := slices.Clone(trace.Args)
	if i := slices.Index(args, "help"); i >= 0 {
		args = slices.Delete(args, i, i+1)
	}
	of, err := kong.Trace(parser, append(args, "--help"))
	if err != nil {
		return err
	}
	if of.Error != nil {
		return of.Error
	}
	if err := of.PrintUsage(false); err != nil {
		return err
	}
	parser.Exit(exitOK)
	return nil
}

// isAnswer reports whether a flag prints something in place of running a command.
func isAnswer(flag *kong.Flag) bool { return flag.Name == "help" || flag.Name == "version" }

// flagsOf lists the flags that the commands other than serve use. They accept all flags of serve, so that they can be given
// the same flags and variables as the gateway that they are about.
var flagsOf = map[string][]string{
	"healthcheck": {"grpc-addr", "admin-addr", "caller-auth", "tls-cert"},
	"token":       {"token-file"},
	"version":     nil,
	"help":        nil,
}

// printHelp prints the help of a command with the flags that the command uses.
func printHelp(options kong.HelpOptions, ctx *kong.Context) error {
	if command := ctx.Selected(); command != nil {
		if own, limited := flagsOf[command.Name]; limited {
			for _, flag := range ctx.Model.Flags {
				flag.Hidden = flag.Name != "help" && !slices.Contains(own, flag.Name)
			}
		}
	}
	return kong.DefaultHelpPrinter(options, ctx)
}
