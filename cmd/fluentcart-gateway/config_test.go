package main

import (
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth/authtest"
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
		{"an admin door for everybody", []string{"--sandbox", "--admin-addr=0.0.0.0:9091", "--log-format=xml"}, []string{"--log-format=xml: must be text or json"}},
		{"runtime profiles for everybody", []string{"--sandbox", "--admin-addr=:9091", "--admin-pprof"}, []string{
			"--admin-addr=:9091: --admin-pprof shows the inside of the process to whoever asks, so it is served on this machine only",
		}},
		{"an admin door at another one", []string{"--sandbox", "--admin-addr=127.0.0.1:9090"}, []string{"--grpc-addr is the same as --admin-addr: give each a port of its own"}},
		{"times that do not fit together", []string{"--sandbox", "--get-timeout=40s", "--put-timeout=10s", "--drain-timeout=49s"}, []string{
			"--drain-timeout=49s: the read and the write of a call in flight may take 50s", "--get-timeout=40s: give 30s or less",
		}},
		{"what cannot work and wait", []string{"--sandbox", "--max-in-flight=0", "--max-queue=x", "--store-rate=0.1", "--write-settle-time=9s", "--redis-url=http://me:secret@host"}, []string{
			"--max-in-flight=0: must be from 1 to 100000",
			"--max-queue=x: must be a whole number", "--redis-url: must be a Redis address such as redis://host:6379/0", "--store-rate=0.1: must be 0.5 or more", "--write-settle-time=9s: a write that is still being waited for (--put-timeout=10s) may land",
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
		t.Run(row.name, func(t *testing.T) { refusedAtStart(t, row.args, row.faults) })
	}
}

// refusedAtStart runs a command that must tell these faults, one a line, of which the beginnings are given, and nothing
// that is secret.
func refusedAtStart(t *testing.T, args, faults []string) {
	t.Helper()
	var out, errs strings.Builder
	if code := run(t.Context(), args, &out, &errs); code != exitUsage {
		t.Errorf("exit code %d", code)
	}
	lines := strings.Split(strings.TrimSpace(errs.String()), "\n")
	if lines[0] != "fluentcart-gateway: cannot start:" || out.Len() > 0 {
		t.Fatalf("printed %q and %q", out.String(), errs.String())
	}
	var got []string
	for i, line := range lines[1:] {
		line = strings.TrimPrefix(strings.TrimSpace(line), "- ")
		if i < len(faults) && strings.HasPrefix(line, faults[i]) {
			line = faults[i]
		}
		got = append(got, line)
	}
	if diff := cmp.Diff(faults, got); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
	if strings.Contains(errs.String(), "secret") {
		t.Errorf("the password is told: %s", errs.String())
	}
}

// What would let in whom nobody knows, or show a secret, is refused before anything listens.
func TestWhatWouldNotBeSafeIsRefusedAtStart(t *testing.T) {
	directory := t.TempDir()
	file := func(name, content string, mode os.FileMode) string {
		path := filepath.Join(directory, name)
		if err := errors.Join(os.WriteFile(path, []byte(content), 0o600), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	authority := authtest.NewAuthority(t)
	certificate, key := authtest.PEM(t, authority.Server(t))
	expired, expiredKey := authtest.PEM(t, authority.Server(t, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Hour) }))
	_, line, err := auth.NewToken("orders", nil)
	if err != nil {
		t.Fatal(err)
	}
	good := file("password", "secret", 0o600)
	cert, certKey, ca := file("cert", string(certificate), 0o644), file("key", string(key), 0o640), file("ca", string(authority.PEM()), 0o644)
	tokens, openTokens := file("tokens", line, 0o600), file("open-tokens", line, 0o604)
	openPassword, openKey := file("open-password", "secret", 0o644), file("open-key", string(key), 0o604)
	store := []string{"--store-url=https://shop.example.com", "--store-username=me"}
	for _, row := range []struct {
		name   string
		args   []string
		faults []string
	}{
		{"a password that everyone can read", append(store, "--store-password-file="+openPassword), []string{
			"--store-password-file: " + openPassword + " is open to everyone on this machine (mode 0644): chmod 600 it, or 640 for a group",
		}},
		{"a password that is not there", append(store, "--store-password-file="+good+"x"), []string{"--store-password-file: open " + good + "x: no such file or directory; give a file that this process can read"}},
		{"two lines for a password", append(store, "--store-password-file="+file("two", "secret\nsecret", 0o600)), []string{"--store-password-file=" + directory + "/two: has more than one line"}},
		{"nobody authenticated off this machine", []string{"--sandbox", "--grpc-addr=:9090", "--http-addr=0.0.0.0:8080"}, []string{
			"--grpc-addr=:9090: callers are not authenticated", "--http-addr=0.0.0.0:8080: callers are not authenticated",
		}},
		{"tokens, and everybody", []string{"--sandbox", "--caller-auth=token", "--token-file=" + tokens, "--allow-unauthenticated"}, []string{"--allow-unauthenticated contradicts --caller-auth=token: leave one of them out"}},
		{"no such way", []string{"--sandbox", "--caller-auth=basic"}, []string{"--caller-auth=basic: must be none, token, mtls or store"}},
		{"tokens without a file", []string{"--sandbox", "--caller-auth=token"}, []string{"--caller-auth=token needs --token-file: give a file of tokens"}},
		{"tokens that everyone can read", []string{"--sandbox", "--caller-auth=token", "--token-file=" + openTokens}, []string{"--token-file: " + openTokens + " is open to everyone"}},
		{"tokens in plain", []string{"--sandbox", "--caller-auth=token", "--token-file=" + file("plain", "orders fcgw_secret", 0o600)}, []string{"--token-file=" + directory + "/plain: line 1: the second column must be sha256:"}},
		{"a file of tokens that is not used", []string{"--sandbox", "--token-file=" + tokens}, []string{"--token-file is of no use without --caller-auth=token"}},
		{"certificates without anything", []string{"--sandbox", "--caller-auth=mtls"}, []string{
			"--caller-auth=mtls needs --allow-client", "--caller-auth=mtls needs --tls-cert", "--caller-auth=mtls needs --tls-client-ca",
		}},
		{"certificates that are not used, and bad names", []string{"--sandbox", "--tls-client-ca=" + ca, "--allow-client=*.internal,crm=email"}, []string{
			"--allow-client is of no use without --caller-auth=mtls", "--allow-client=*.internal: must be a DNS name", "--allow-client=crm=email: after the = must follow", "--tls-client-ca is of no use without --caller-auth=mtls",
		}},
		{"a certificate without its key", []string{"--sandbox", "--tls-cert=" + cert}, []string{"--tls-cert and --tls-key belong together: give both, or none"}},
		{"a key that everyone can read", []string{"--sandbox", "--tls-cert=" + cert, "--tls-key=" + openKey}, []string{"--tls-key: " + openKey + " is open to everyone"}},
		{"a certificate with another's key", []string{"--sandbox", "--tls-cert=" + cert, "--tls-key=" + file("other-key", string(expiredKey), 0o600)}, []string{
			"--tls-cert=" + cert + " and --tls-key=" + directory + "/other-key: private key does not match public key; give a certificate and its private key in PEM",
		}},
		{"an expired certificate", []string{"--sandbox", "--tls-cert=" + file("expired", string(expired), 0o600), "--tls-key=" + file("expired-key", string(expiredKey), 0o600)}, []string{
			"--tls-cert=" + directory + "/expired and --tls-key=" + directory + "/expired-key: the certificate expired at ",
		}},
		{"a key in place of an authority", []string{"--sandbox", "--caller-auth=mtls", "--allow-client=orders", "--tls-cert=" + cert, "--tls-key=" + certKey, "--tls-client-ca=" + certKey}, []string{
			"--tls-client-ca=" + certKey + `: has something other than certificates ("PRIVATE KEY")`,
		}},
		{"an account beside those of the callers", append(store, "--store-password-file="+good, "--caller-auth=store"), []string{
			"--caller-auth=store and --store-password-file exclude each other", "--caller-auth=store and --store-username exclude each other",
		}},
		{"a password in the address of Redis", []string{"--sandbox", "--redis-url=redis://me:secret@localhost:6379"}, []string{"--redis-url: must not hold a password"}},
		{"a password for no Redis", []string{"--sandbox", "--redis-password-file=" + good}, []string{"--redis-password-file is of no use without --redis-url"}},
		{"an authority of no store", []string{"--sandbox", "--store-ca=" + ca}, []string{"--sandbox and --store-ca exclude each other"}},
	} {
		t.Run(row.name, func(t *testing.T) { refusedAtStart(t, row.args, row.faults) })
	}
}

// What the operator has allowed is said loudly: on the terminal, and in the log.
func TestDangersAreSaidLoudly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	var token strings.Builder
	if code := run(t.Context(), []string{"token", "--token-file=" + path, "orders"}, &token, &token); code != exitOK {
		t.Fatal(token.String())
	}
	for name, row := range map[string]struct {
		args  []string
		wants string
	}{
		"everybody":             {[]string{"--grpc-addr=0.0.0.0:0", "--allow-unauthenticated"}, "--allow-unauthenticated lets everybody"},
		"tokens without TLS":    {[]string{"--grpc-addr=0.0.0.0:0", "--caller-auth=token", "--token-file=" + path}, "callers send their credentials without TLS"},
		"links":                 {[]string{"--allow-user-link"}, "--allow-user-link lets callers take over WordPress accounts"},
		"nothing to be said of": {nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			announced := startCommand(t, append(slices.Clone(sandboxOnFreePorts), row.args...)...)
			if row.wants == "" && strings.Contains(announced, "Attention") || row.wants != "" && !strings.Contains(announced, "Attention: "+row.wants) {
				t.Errorf("announced:\n%s", announced)
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
		{GRPCAddr: "127.0.0.1:0", HTTPAddr: "127.0.0.1:0", AdminAddr: "127.0.0.1:0"},
		{GRPCAddr: "127.0.0.1:9000", HTTPAddr: "[::1]:9000", AdminAddr: "127.0.0.1:0"},
		{GRPCAddr: "127.0.0.1:9000", HTTPAddr: "127.0.0.2:9000", AdminAddr: "127.0.0.1:0"},
		{GRPCAddr: "127.0.0.1:9000", HTTPAddr: "127.0.0.1:9001", SandboxAddr: "127.0.0.1:9000", AdminAddr: "127.0.0.1:0"},
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
