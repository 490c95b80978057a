package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/nearest"
)

// explain says what is wrong with a command line that kong could not parse, and what would be right. kong has no types for
// these errors.
func explain(model *kong.Application, args []string, err error) string {
	said := err.Error()
	for _, kind := range []string{"unknown flag ", "unexpected argument "} {
		if given, ok := strings.CutPrefix(said, kind); ok {
			given, _, _ = strings.Cut(given, ", did you mean")
			return unknown(model, kind, written(args, given))
		}
	}
	if flag, ok := strings.CutSuffix(said, ` value but got "EOL" (<EOL>)`); ok { // the end of the line
		flag, _, _ = strings.Cut(flag, ": expected ")
		said = flag + ": needs a value"
	}
	return said + rightValue(allFlags(model), err)
}

// written returns the argument of which kong has read a part. It takes -sandbox for the short flags -s, -a and so on.
func written(args []string, given string) string {
	i := slices.IndexFunc(args, func(arg string) bool {
		return len(given) == 2 && given[0] == '-' && len(arg) > 2 && arg[0] == '-' && arg[1] != '-' && strings.Contains(arg, given[1:])
	})
	if i < 0 {
		return given
	}
	given, _, _ = strings.Cut(args[i], "=")
	return given
}

// unknown names an unknown flag or argument, and the flag or command that it is most probably a mistake for.
func unknown(model *kong.Application, kind, given string) string {
	word, _, _ := strings.Cut(strings.TrimLeft(given, "-–—"), "=") // word processors turn -- into a dash
	said := kind + given
	for _, command := range model.Children {
		if slices.ContainsFunc(command.Flags, func(flag *kong.Flag) bool { return given == "--"+flag.Name }) {
			return said + ", which only the command " + command.Name + " has"
		}
	}
	var flags, commands []string
	for _, flag := range allFlags(model) {
		flags = append(flags, "--"+flag.Name)
	}
	for _, command := range model.Children {
		commands = append(commands, command.Name)
	}
	first, second := flags, commands
	if word == given {
		first, second = commands, flags
	}
	near := nearest.Name(word, first)
	if near == "" {
		near = nearest.Name(word, second)
	}
	if near == "" {
		return said
	}
	return said + ", did you mean " + near + "?"
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
