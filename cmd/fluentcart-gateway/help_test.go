package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func printed(t testing.TB, args ...string) string {
	t.Helper()
	var out, errs strings.Builder
	if code := run(t.Context(), args, &out, &errs); code != exitOK || errs.Len() > 0 {
		t.Fatalf("%v: exit code %d: %s", args, code, errs.String())
	}
	return out.String()
}

func TestVersionIsAFlagToo(t *testing.T) {
	want := printed(t, "version")
	for _, args := range [][]string{{"--version"}, {"-v"}, {"--sandbox", "--version"}, {"token", "alice", "-v"}} {
		if got := printed(t, args...); got != want {
			t.Errorf("%v prints %q, want %q", args, got, want)
		}
	}
}

// The help of a command lists the flags that the command uses, and no other.
func TestHelpOfACommandListsItsOwnFlags(t *testing.T) {
	flag := regexp.MustCompile(`(?m)^ +(?:-[a-z], )?--([a-z-]+)`)
	for command, want := range map[string][]string{
		"healthcheck": {"help", "grpc-addr", "admin-addr", "caller-auth", "tls-cert"},
		"token":       {"help", "token-file", "may"},
		"version":     {"help"},
		"help":        {"help"},
	} {
		var got []string
		for _, found := range flag.FindAllStringSubmatch(printed(t, command, "--help"), -1) {
			got = append(got, found[1])
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("flags of %s (-want +got):\n%s", command, diff)
		}
	}
	if all := printed(t, "serve", "--help"); !strings.Contains(all, "--drain-timeout") {
		t.Errorf("serve lists %s", all)
	}
}

func TestHelpIsACommandToo(t *testing.T) {
	for _, row := range []struct{ flag, command []string }{
		{[]string{"--help"}, []string{"help"}},
		{[]string{"--help"}, []string{"--sandbox", "help"}},
		{[]string{"token", "--help"}, []string{"help", "token"}},
		{[]string{"serve", "-h"}, []string{"help", "serve"}},
		{[]string{"help", "-h"}, []string{"help", "help"}},
	} {
		if diff := cmp.Diff(printed(t, row.flag...), printed(t, row.command...)); diff != "" {
			t.Errorf("%v (-flag +command):\n%s", row.command, diff)
		}
	}
	var out, errs strings.Builder
	if code := run(t.Context(), []string{"help", "tokn"}, &out, &errs); code != exitUsage || !strings.Contains(errs.String(), "unexpected argument tokn, did you mean token?") {
		t.Errorf("exit code %d: %s", code, errs.String())
	}
}

// A fault in the environment is no reason to show no help.
func TestHelpIsPrintedWhateverTheEnvironment(t *testing.T) {
	t.Setenv("FLUENTCART_GATEWAY_GET_TIMEOUT", "5")
	t.Setenv("FLUENTCART_GATEWAY_SANDBX", "true")
	for _, args := range [][]string{{"help"}, {"help", "token"}, {"--help"}, {"--version"}} {
		printed(t, args...)
	}
}
