package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A wrong configuration tells all its faults at once, each with what to do.
func TestAllFaultsAreToldAtOnce(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name   string
		args   []string
		faults []string // the beginning of each, in order
	}{
		{"no store", nil, []string{"no store: give --store-url (with --store-username and --store-password-file), or --sandbox"}},
		{"two stores", []string{"--sandbox", "--store-url=https://shop.example.com"}, []string{"--sandbox and --store-url exclude each other"}},
		{"credentials for the stand-in", []string{"--sandbox", "--store-username=me", "--store-password-file=" + empty}, []string{
			"--sandbox and --store-password-file exclude each other", "--sandbox and --store-username exclude each other",
		}},
		{"one port for two doors", []string{"--sandbox", "--grpc-addr=127.0.0.1:9000", "--http-addr=localhost:9000", "--sandbox-addr=127.0.0.1:9000"}, []string{
			"--http-addr is the same as --grpc-addr: give each a port of its own", "--sandbox-addr is the same as --grpc-addr: give each a port of its own",
		}},
		{"a store without credentials", []string{"--store-url=https://shop.example.com"}, []string{"--store-password-file is missing", "--store-username is missing"}},
		{"credentials in the address", []string{"--store-url=https://me:secret@shop.example.com", "--store-username=me", "--store-password-file=" + empty}, []string{
			"--store-password-file=" + empty + ": is empty: write the password into it", "--store-url: must not hold a user name or password",
		}},
		{"credentials over an open network", []string{"--store-url=http://shop.example.com", "--store-username=me", "--store-password-file=" + empty + "x"}, []string{
			"--store-password-file: open " + empty + "x: no such file or directory; give a file that this process can read",
			"--store-url: http:// would send the credentials over the network unencrypted",
		}},
		{"listening to everybody", []string{"--sandbox", "--grpc-addr=:9090", "--http-addr=0.0.0.0:80", "--sandbox-addr=example.com:1"}, []string{
			"--grpc-addr=:9090: callers are not authenticated", "--http-addr=0.0.0.0:80: callers are not authenticated", "--sandbox-addr=example.com:1: everybody knows the password of the built-in stand-in",
		}},
		{"times that do not fit together", []string{"--sandbox", "--get-timeout=40s", "--put-timeout=10s", "--drain-timeout=49s"}, []string{
			"--drain-timeout=49s: the read and the write of a call in flight may take 50s", "--get-timeout=40s: give 30s or less",
		}},
		{"what cannot work and wait", []string{"--sandbox", "--max-in-flight=0", "--max-queue=x", "--store-rate=0.1", "--max-landing=9s", "--redis-url=http://me:secret@host"}, []string{
			"--max-in-flight=0: must be from 1 to 100000", "--max-landing=9s: a write that is still being waited for (--put-timeout=10s) may land",
			"--max-queue=x: must be a whole number", "--redis-url: must be a Redis address such as redis://host:6379/0", "--store-rate=0.1: must be 0.5 or more",
		}},
		{"a user name that cannot be sent", []string{"--store-url=https://shop.example.com", "--store-username=a:b"}, []string{
			"--store-password-file is missing", "--store-username has a colon",
		}},
		{"values that are missing, empty or no booleans", []string{"--sandbox", "--allow-user-link=maybe", "--put-timeout=", "--store-username", "--grpc-addr", "--get-timeout"}, []string{
			"--allow-user-link=maybe: must be true or false", "--get-timeout has no value: give --get-timeout=TIME",
			"--grpc-addr has no value: give --grpc-addr=ADDR", `--put-timeout="": must be a positive time`, "--store-username has no value: give --store-username=NAME",
		}},
		{"a flag that is not known beside a value that is missing", []string{"--sandbox", "--get-timeout", "--nope"}, []string{
			"--get-timeout has no value: give --get-timeout=TIME", "unknown flag --nope",
		}},
		{"everything else", []string{"--sandbox", "--write-mode=x", "--get-timeout=5", "--put-timeout=-1s", "--default-timeout=2m", "--drain-timeout=soon", "--log-level=loud", "--log-format=xml", "--grpc-addr=9090", "--http-addr=127.0.0.1:http!"}, []string{
			"--default-timeout=2m0s: no call may take longer than 60s", "--drain-timeout=soon: must be a positive time", "--get-timeout=5: must be a positive time",
			"--grpc-addr=9090: must be host:port", "--http-addr=127.0.0.1:http!: the port must be a number", "--log-format=xml: must be text or json",
			"--log-level=loud: must be debug, info, warn or error", "--put-timeout=-1s: must be a positive time", "--write-mode=x: must be merge or replace",
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			var out, errs strings.Builder
			if code := run(t.Context(), row.args, &out, &errs); code != exitUsage {
				t.Errorf("exit code %d", code)
			}
			lines := strings.Split(strings.TrimSpace(errs.String()), "\n")
			if lines[0] != "fluentcart-gateway: cannot start:" || out.Len() > 0 {
				t.Fatalf("printed %q and %q", out.String(), errs.String())
			}
			var got []string
			for i, line := range lines[1:] {
				line = strings.TrimPrefix(strings.TrimSpace(line), "- ")
				if i < len(row.faults) && strings.HasPrefix(line, row.faults[i]) {
					line = row.faults[i]
				}
				got = append(got, line)
			}
			if diff := cmp.Diff(row.faults, got); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
			if strings.Contains(errs.String(), "secret") {
				t.Errorf("the password is told: %s", errs.String())
			}
		})
	}
}

// A variable of the environment is told like the flag it stands for.
func TestMalformedEnvironmentIsToldWithTheRest(t *testing.T) {
	t.Setenv("FLUENTCART_GATEWAY_SANDBOX", "maybe")
	t.Setenv("FLUENTCART_GATEWAY_ALLOW_USER_LINK", "")
	t.Setenv("FLUENTCART_GATEWAY_STORE_URL", "ftp://shop.example.com")
	t.Setenv("FLUENTCART_GATEWAY_GET_TIMEOUT", "5")
	for _, command := range [][]string{nil, {"healthcheck"}} {
		var out, errs strings.Builder
		if code := run(t.Context(), command, &out, &errs); code != exitUsage {
			t.Errorf("exit code %d", code)
		}
		wanted := []string{"--sandbox=maybe: must be true or false", `--allow-user-link="": must be true or false`}
		if command == nil {
			wanted = append(wanted, "--store-url: must begin with https://", "--get-timeout=5: must be a positive time")
		}
		for _, fault := range wanted {
			if strings.Count(errs.String(), "  - "+fault) != 1 {
				t.Errorf("%v lacks %q:\n%s", command, fault, errs.String())
			}
		}
	}
}

// Two free ports are two, the loopback addresses are several, and the stand-in's address counts only with it.
func TestAddressesThatOnlyLookTheSame(t *testing.T) {
	for _, cfg := range []serveConfig{
		{GRPCAddr: "127.0.0.1:0", HTTPAddr: "127.0.0.1:0"},
		{GRPCAddr: "127.0.0.1:9000", HTTPAddr: "[::1]:9000"},
		{GRPCAddr: "127.0.0.1:9000", HTTPAddr: "127.0.0.2:9000"},
		{GRPCAddr: "127.0.0.1:9000", HTTPAddr: "127.0.0.1:9001", SandboxAddr: "127.0.0.1:9000"},
	} {
		if faults := cfg.checkAddresses(); len(faults) > 0 {
			t.Errorf("%s and %s: %v", cfg.GRPCAddr, cfg.HTTPAddr, faults)
		}
	}
}

func TestCommandLine(t *testing.T) {
	for _, row := range []struct {
		name string
		args []string
		code int
		says string
	}{
		{"help lists the flags", []string{"--help"}, exitOK, "--store-url"},
		{"version", []string{"version"}, exitOK, "fluentcart-gateway "},
		{"an unknown flag is named", []string{"--sandbx"}, exitUsage, "--sandbx"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var out strings.Builder
			if code := run(t.Context(), row.args, &out, &out); code != row.code || !strings.Contains(out.String(), row.says) {
				t.Errorf("exit code %d: %s", code, out.String())
			}
		})
	}
}
