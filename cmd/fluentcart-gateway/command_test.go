package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestCommandLine(t *testing.T) {
	for _, row := range []struct {
		name string
		args []string
		code int
		says string
	}{
		{"help lists the flags", []string{"--help"}, exitOK, "--store-url"},
		{"help lists the commands", []string{"-h"}, exitOK, "healthcheck"},
		{"version", []string{"version"}, exitOK, "fluentcart-gateway "},
		{"an unknown flag is named", []string{"--something=secret"}, exitUsage, "unknown flag --something (--help"},
		{"an unknown argument is named", []string{"something"}, exitUsage, "unexpected argument something (--help"},
		{"a letter too few in a flag", []string{"--sandbx"}, exitUsage, "unknown flag --sandbx, did you mean --sandbox?"},
		{"a flag in other letters", []string{"--Grpc_Addr=x"}, exitUsage, "unknown flag --Grpc_Addr, did you mean --grpc-addr?"},
		{"the beginning of a flag", []string{"--token=x"}, exitUsage, "unknown flag --token, did you mean --token-file?"},
		{"one dash", []string{"-sandbox"}, exitUsage, "unknown flag -sandbox, did you mean --sandbox?"},
		{"one dash and a value", []string{"--sandbox", "-store-url=https://secret"}, exitUsage, "unknown flag -store-url, did you mean --store-url?"},
		{"one dash and a short flag's letter", []string{"-help"}, exitUsage, "unknown flag -help, did you mean --help?"},
		{"a dash of a word processor", []string{"–sandbox"}, exitUsage, "unexpected argument –sandbox, did you mean --sandbox?"},
		{"a short flag that is like no other", []string{"-x"}, exitUsage, "unknown flag -x (--help"},
		{"a flag without its dashes", []string{"sandbox"}, exitUsage, "unexpected argument sandbox, did you mean --sandbox?"},
		{"a command with dashes", []string{"--healthcheck"}, exitUsage, "unknown flag --healthcheck, did you mean healthcheck?"},
		{"a letter too few in a command", []string{"srve"}, exitUsage, "unexpected argument srve, did you mean serve?"},
		{"a flag of a different command", []string{"version", "--may=-"}, exitUsage, "unknown flag --may, which only the command token has"},
		{"a time without its unit", []string{"--get-timeout=5"}, exitUsage, `--get-timeout: expected duration but got "5": time: missing unit in duration "5"; give --get-timeout=TIME, such as 5s`},
		{"an empty time", []string{"--put-timeout="}, exitUsage, "; give --put-timeout=TIME, such as 10s"},
		{"not a time", []string{"--drain-timeout=soon"}, exitUsage, "; give --drain-timeout=TIME, such as 25s"},
		{"not a number", []string{"--max-queue=x"}, exitUsage, `got "x"; give --max-queue=N, such as 256`},
		{"not a rate", []string{"--store-rate=x"}, exitUsage, `got "x" (string); give --store-rate=N`},
		{"not a boolean", []string{"--allow-user-link=maybe"}, exitUsage, `--allow-user-link: bool value must be true, 1, yes, false, 0 or no but got "maybe"`},
		{"a missing value at the end", []string{"--sandbox", "--store-username"}, exitUsage, "fluentcart-gateway: --store-username: needs a value; give --store-username=NAME (--help"},
		{"a missing time at the end", []string{"--get-timeout"}, exitUsage, "--get-timeout: needs a value; give --get-timeout=TIME, such as 5s"},
		{"a missing value before a flag", []string{"--grpc-addr", "--sandbox"}, exitUsage, "; give --grpc-addr=ADDR, such as 127.0.0.1:9090"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var out strings.Builder
			if code := run(t.Context(), row.args, &out, &out); code != row.code || !strings.Contains(out.String(), row.says) || strings.Contains(out.String(), "secret") {
				t.Errorf("exit code %d: %s", code, out.String())
			}
		})
	}
}

// A wrong configuration prints each fault on a line of its own, those of the flags together with those of the files.
func TestFaultsArePrintedLineByLine(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	var out, errs strings.Builder
	code := run(t.Context(), []string{"--store-url=https://me:secret@shop.example.com", "--store-password-file=" + missing, "--log-format=xml"}, &out, &errs)
	want := "fluentcart-gateway: cannot start:\n" +
		"  - --log-format=xml: must be text or json\n" +
		"  - --store-password-file: open " + missing + ": no such file or directory; give a file that this process can read\n" +
		"  - --store-url: must not hold a user name or password"
	if code != exitUsage || out.Len() > 0 || !strings.HasPrefix(errs.String(), want) || strings.Contains(errs.String(), "secret") {
		t.Errorf("exit code %d, printed %q and:\n%s\nwant:\n%s", code, out.String(), errs.String(), want)
	}
	if got := strings.Count(errs.String(), "\n  - "); got != 4 {
		t.Errorf("%d faults, want 4 (--store-username is missing as well):\n%s", got, errs.String())
	}
}

// writeFile writes a file that only its owner can read, and returns its path.
func writeFile(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
