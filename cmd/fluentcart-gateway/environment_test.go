package main

import (
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// Without them, each flag has its default: no variable makes the command line wrong, and none counts as given.
func TestEmptyEnvironmentVariablesCountAsUnset(t *testing.T) {
	parser, err := kong.New(&commands{}, kong.DefaultEnvars("FLUENTCART_GATEWAY"))
	if err != nil {
		t.Fatal(err)
	}
	for _, value := range []string{"", " ", "\r"} {
		flags := 0
		for _, flag := range allFlags(parser.Model) {
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
	for _, args := range [][]string{{"token", "alice"}, {"version"}, {"help"}, {"healthcheck", "--help"}} {
		var out, errs strings.Builder
		if code := run(t.Context(), args, &out, &errs); code != exitOK || errs.Len() > 0 {
			t.Errorf("%v: exit code %d: %s", args, code, errs.String())
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

// A variable that sets nothing is most probably a misspelt one. Its value, which may be a password, is not repeated.
func TestUnknownEnvironmentVariablesAreRefused(t *testing.T) {
	for _, row := range []struct{ name, variable, says string }{
		{"a letter too few", "FLUENTCART_GATEWAY_SANDBX", "; did you mean FLUENTCART_GATEWAY_SANDBOX?"},
		{"a letter too few in the protection", "FLUENTCART_GATEWAY_CALER_AUTH", "; did you mean FLUENTCART_GATEWAY_CALLER_AUTH?"},
		{"another separator", "FLUENTCART_GATEWAY_STOREURL", "; did you mean FLUENTCART_GATEWAY_STORE_URL?"},
		{"small letters", "fluentcart_gateway_sandbox", "; did you mean FLUENTCART_GATEWAY_SANDBOX?"},
		{"a secret itself, in place of its file", "FLUENTCART_GATEWAY_STORE_PASSWORD", "; did you mean FLUENTCART_GATEWAY_STORE_PASSWORD_FILE?"},
		{"a flag of a command", "FLUENTCART_GATEWAY_MAYY", "; did you mean FLUENTCART_GATEWAY_MAY?"},
		{"nothing that is like it", "FLUENTCART_GATEWAY_COLOUR", "; remove it"},
		{"a port number, which a service link is not", "FLUENTCART_GATEWAY_PORT", "; remove it"},
		{"a flag that is not a variable", "FLUENTCART_GATEWAY_VERSION", "; remove it"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Setenv(row.variable, "31337")
			for _, command := range [][]string{{"--sandbox"}, {"healthcheck"}, {"token", "alice"}} {
				var out, errs strings.Builder
				code := run(t.Context(), command, &out, &errs)
				want := "fluentcart-gateway: wrong configuration:\n  - " + row.variable + ": is not a variable of the gateway" + row.says
				if code != exitUsage || !strings.HasPrefix(errs.String(), want) || out.Len() > 0 || strings.Contains(errs.String(), "31337") {
					t.Errorf("%v: exit code %d: %s", command, code, errs.String())
				}
			}
			for _, command := range [][]string{{"version"}, {"--version"}, {"help"}, {"token", "--help"}} {
				var out, errs strings.Builder
				if code := run(t.Context(), command, &out, &errs); code != exitOK || errs.Len() > 0 {
					t.Errorf("%v: exit code %d: %s", command, code, errs.String())
				}
			}
		})
	}
}

// Kubernetes sets such variables for a service named fluentcart-gateway, and for one of each listener, in all containers
// of their namespace, the gateway's among them.
func TestServiceLinksInTheEnvironmentAreIgnored(t *testing.T) {
	for name, value := range map[string]string{
		"SERVICE_HOST": "10.0.0.11", "SERVICE_PORT": "9090", "SERVICE_PORT_GRPC": "9090", "PORT": "tcp://10.0.0.11:9090",
		"PORT_9090_TCP": "tcp://10.0.0.11:9090", "PORT_9090_TCP_PROTO": "tcp", "PORT_9090_TCP_PORT": "9090", "PORT_9090_TCP_ADDR": "10.0.0.11",
		"ADMIN_SERVICE_HOST": "10.0.0.12", "ADMIN_PORT": "tcp://10.0.0.12:9091", "ADMIN_PORT_9091_TCP_ADDR": "10.0.0.12",
		"SANDBOX_SERVICE_PORT": "8081", "SANDBOX_PORT": "tcp://10.0.0.13:8081",
	} {
		t.Setenv("FLUENTCART_GATEWAY_"+name, value)
	}
	t.Setenv("FLUENTCART_GATEWAYS", "2") // a different prefix
	var out, errs strings.Builder
	if code := run(t.Context(), []string{"token", "alice"}, &out, &errs); code != exitOK || errs.Len() > 0 {
		t.Errorf("exit code %d: %s", code, errs.String())
	}
}

// A flag's variable must set the flag, whatever its value.
func TestNoFlagHasTheVariableOfAServiceLink(t *testing.T) {
	parser, err := kong.New(&commands{})
	if err != nil {
		t.Fatal(err)
	}
	for _, flag := range allFlags(parser.Model) {
		if isServiceLink(strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_")), "tcp://10.0.0.11:9090") {
			t.Errorf("--%s has the variable of a service link", flag.Name)
		}
	}
}
