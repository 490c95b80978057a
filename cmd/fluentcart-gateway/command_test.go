package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
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
		{"version", []string{"version"}, exitOK, "fluentcart-gateway "},
		{"an unknown flag is named", []string{"--sandbx"}, exitUsage, "unknown flag --sandbx"},
		{"an unknown argument is named", []string{"srve"}, exitUsage, "unexpected argument srve"},
		{"a time without its unit", []string{"--get-timeout=5"}, exitUsage, `--get-timeout: expected duration but got "5": time: missing unit in duration "5"; give --get-timeout=TIME, such as 5s`},
		{"an empty time", []string{"--put-timeout="}, exitUsage, "; give --put-timeout=TIME, such as 10s"},
		{"not a time", []string{"--drain-timeout=soon"}, exitUsage, "; give --drain-timeout=TIME, such as 25s"},
		{"not a number", []string{"--max-queue=x"}, exitUsage, `got "x"; give --max-queue=N, such as 256`},
		{"not a rate", []string{"--store-rate=x"}, exitUsage, `got "x" (string); give --store-rate=N`},
		{"not a boolean", []string{"--allow-user-link=maybe"}, exitUsage, `--allow-user-link: bool value must be true, 1, yes, false, 0 or no but got "maybe"`},
		{"a missing value at the end", []string{"--sandbox", "--store-username"}, exitUsage, "; give --store-username=NAME"},
		{"a missing value before a flag", []string{"--grpc-addr", "--sandbox"}, exitUsage, "; give --grpc-addr=ADDR, such as 127.0.0.1:9090"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var out strings.Builder
			if code := run(t.Context(), row.args, &out, &out); code != row.code || !strings.Contains(out.String(), row.says) {
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

// Without them, each flag has its default: no variable makes the command line wrong, and none counts as given.
func TestEmptyEnvironmentVariablesCountAsUnset(t *testing.T) {
	parser, err := kong.New(&commands{}, kong.DefaultEnvars("FLUENTCART_GATEWAY"))
	if err != nil {
		t.Fatal(err)
	}
	for _, value := range []string{"", " ", "\r"} {
		flags := 0
		for _, flag := range parser.Model.Flags {
			for _, name := range flag.Tag.Envs {
				t.Setenv(name, value)
				flags++
			}
		}
		if flags < 20 {
			t.Fatalf("%d flags have variables", flags)
		}
		var out, errs strings.Builder
		code := run(t.Context(), nil, &out, &errs)
		if want := "fluentcart-gateway: cannot start:\n  - no store: give --store-url (with --store-username and --store-password-file), or --sandbox for the built-in sandbox store\n"; code != exitUsage || errs.String() != want {
			t.Errorf("with %q: exit code %d: %s", value, code, errs.String())
		}
	}
	t.Setenv("FLUENTCART_GATEWAY_MAX_IN_FLIGHT", "0") // a value counts, beside empty ones
	var out, errs strings.Builder
	run(t.Context(), []string{"--sandbox"}, &out, &errs)
	if !strings.Contains(errs.String(), "--max-in-flight=0: must be from 1") {
		t.Errorf("printed %s", errs.String())
	}
}

// An environment variable is reported like the flag that it sets, for all commands.
func TestFaultsInTheEnvironmentAreReported(t *testing.T) {
	for _, row := range []struct{ name, variable, value, says string }{
		{"not a boolean", "SANDBOX", "maybe", `--sandbox: bool value must be true, 1, yes, false, 0 or no but got "maybe" (from envar FLUENTCART_GATEWAY_SANDBOX="maybe")`},
		{"a time without its unit", "GET_TIMEOUT", "5", `; give --get-timeout=TIME, such as 5s`},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Setenv("FLUENTCART_GATEWAY_"+row.variable, row.value)
			for _, command := range [][]string{nil, {"healthcheck"}} {
				var out, errs strings.Builder
				if code := run(t.Context(), command, &out, &errs); code != exitUsage || !strings.Contains(errs.String(), row.says) {
					t.Errorf("%v: exit code %d: %s", command, code, errs.String())
				}
			}
		})
	}
	t.Setenv("FLUENTCART_GATEWAY_STORE_URL", "ftp://shop.example.com")
	t.Setenv("FLUENTCART_GATEWAY_LOG_LEVEL", "loud")
	var out, errs strings.Builder
	code := run(t.Context(), nil, &out, &errs)
	for _, fault := range []string{"--store-url: must begin with https://", "--log-level=loud: must be debug, info, warn or error"} {
		if code != exitUsage || strings.Count(errs.String(), "  - "+fault) != 1 {
			t.Errorf("exit code %d, without %q:\n%s", code, fault, errs.String())
		}
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
