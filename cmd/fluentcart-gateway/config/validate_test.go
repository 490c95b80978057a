package config

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
)

// parse reads a command line.
func parse(t *testing.T, args ...string) *Config {
	t.Helper()
	flags := &Flags{}
	parser, err := kong.New(flags)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse(args); err != nil {
		t.Fatal(err)
	}
	return (*Config)(flags)
}

// checkFaults compares the faults of err, one per line, with the beginnings of those that are wanted, and checks that
// the word "secret", which the tests use as password, is in none of them.
func checkFaults(t *testing.T, err error, want []string) {
	t.Helper()
	if err == nil {
		t.Fatal("no faults")
	}
	got := strings.Split(err.Error(), "\n")
	for i, fault := range got {
		if i < len(want) && strings.HasPrefix(fault, want[i]) {
			got[i] = want[i]
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("the faults show the password: %v", err)
	}
}

func TestValidateReportsAllFaultsAtOnce(t *testing.T) {
	for _, row := range []struct {
		name   string
		args   []string
		faults []string // the beginning of each, in order
	}{
		{"no store", nil, []string{"no store: give --store-url (with --store-username and --store-password-file), or --sandbox"}},
		{"two stores", []string{"--sandbox", "--store-url=https://shop.example.com"}, []string{"--sandbox and --store-url exclude each other"}},
		{"credentials for the sandbox store", []string{"--sandbox", "--store-username=me", "--store-password-file=x"}, []string{
			"--sandbox and --store-password-file exclude each other", "--sandbox and --store-username exclude each other",
		}},
		{"CA certificates for the sandbox store", []string{"--sandbox", "--store-ca=x"}, []string{"--sandbox and --store-ca exclude each other"}},
		{"the companion for a real store", []string{"--sandbox-companion", "--store-url=https://shop.example.com", "--store-username=me", "--store-password-file=x"}, []string{
			"--sandbox-companion has no effect without --sandbox",
		}},
		{"one port for three listeners", []string{"--sandbox", "--grpc-addr=127.0.0.1:9000", "--http-addr=localhost:9000", "--sandbox-addr=127.0.0.1:9000"}, []string{
			"--http-addr is the same as --grpc-addr: give each a port of its own", "--sandbox-addr is the same as --grpc-addr: give each a port of its own",
		}},
		{"the admin server on the port of gRPC", []string{"--sandbox", "--admin-addr=127.0.0.1:9090"}, []string{"--grpc-addr is the same as --admin-addr: give each a port of its own"}},
		{"a store without credentials", []string{"--store-url=https://shop.example.com"}, []string{"--store-password-file is missing", "--store-username is missing"}},
		{"credentials in the address", []string{"--store-url=https://me:secret@shop.example.com", "--store-username=me", "--store-password-file=x"}, []string{
			"--store-url: must not hold a user name or password",
		}},
		{"credentials over the network without TLS", []string{"--store-url=http://shop.example.com", "--store-username=me", "--store-password-file=x"}, []string{
			"--store-url: http:// would send the credentials over the network unencrypted",
		}},
		{"a user name that cannot be sent", []string{"--store-url=https://shop.example.com", "--store-username=a:b"}, []string{
			"--store-password-file is missing", "--store-username has a colon",
		}},
		{"unauthenticated callers from other machines", []string{"--sandbox", "--grpc-addr=:9090", "--http-addr=0.0.0.0:80", "--sandbox-addr=example.com:1"}, []string{
			"--grpc-addr=:9090: callers are not authenticated", "--http-addr=0.0.0.0:80: callers are not authenticated", "--sandbox-addr=example.com:1: the password of the sandbox store is public",
		}},
		{"the admin server on all addresses is right", []string{"--sandbox", "--admin-addr=0.0.0.0:9091", "--log-format=xml"}, []string{"--log-format=xml: must be text or json"}},
		{"profiles for other machines", []string{"--sandbox", "--admin-addr=:9091", "--admin-pprof"}, []string{
			"--admin-addr=:9091: --admin-pprof shows the memory of the process without authentication, so the admin server may listen on loopback addresses only",
		}},
		{"times that contradict each other", []string{"--sandbox", "--get-timeout=40s", "--put-timeout=10s", "--drain-timeout=49s"}, []string{
			"--drain-timeout=49s: the read and the write of one call may take 50s", "--get-timeout=40s: a store that takes longer than 30s does not work; give 30s or less",
		}},
		{"limits that are too low", []string{"--sandbox", "--max-in-flight=0", "--max-queue=100001", "--store-rate=0.1", "--write-settle-time=9s", "--redis-url=http://me:secret@host"}, []string{
			"--max-in-flight=0: must be from 1 to 100000", "--max-queue=100001: must be from 1 to 100000",
			"--redis-url: must be a Redis address such as redis://host:6379/0", "--store-rate=0.1: must be 0.5 or more",
			"--write-settle-time=9s: the store may still apply a write that the gateway waits for (--put-timeout=10s)",
		}},
		{"an unknown kind of authentication", []string{"--sandbox", "--caller-auth=basic"}, []string{"--caller-auth=basic: must be none, token, mtls or store"}},
		{"token without a file", []string{"--sandbox", "--caller-auth=token"}, []string{"--caller-auth=token needs --token-file: give a file of tokens"}},
		{"a token file without token", []string{"--sandbox", "--token-file=x"}, []string{"--token-file has no effect without --caller-auth=token"}},
		{"token and unauthenticated callers", []string{"--sandbox", "--caller-auth=token", "--token-file=x", "--allow-unauthenticated"}, []string{"--allow-unauthenticated contradicts --caller-auth=token: leave one of them out"}},
		{"mtls without anything", []string{"--sandbox", "--caller-auth=mtls"}, []string{
			"--caller-auth=mtls needs --allow-client", "--caller-auth=mtls needs --tls-cert", "--caller-auth=mtls needs --tls-client-ca",
		}},
		{"client certificates without mtls, and bad names", []string{"--sandbox", "--tls-client-ca=x", "--allow-client=*.internal,crm=email"}, []string{
			"--allow-client has no effect without --caller-auth=mtls", "--allow-client=*.internal: must be a DNS name", "--allow-client=crm=email: ", "--tls-client-ca has no effect without --caller-auth=mtls",
		}},
		{"a certificate without its key", []string{"--sandbox", "--tls-cert=x"}, []string{"--tls-cert and --tls-key belong together: give both, or none"}},
		{"an account beside those of the callers", []string{"--store-url=https://shop.example.com", "--store-username=me", "--store-password-file=x", "--caller-auth=store"}, []string{
			"--caller-auth=store and --store-password-file exclude each other", "--caller-auth=store and --store-username exclude each other",
		}},
		{"a password in the address of Redis", []string{"--sandbox", "--redis-url=redis://me:secret@localhost:6379"}, []string{"--redis-url: must not hold a password"}},
		{"a password without Redis", []string{"--sandbox", "--redis-password-file=x"}, []string{"--redis-password-file has no effect without --redis-url"}},
		{"a collector without a scheme", []string{"--sandbox", "--otlp-endpoint=localhost:4317"}, []string{"--otlp-endpoint: must be http://host:4317 for a collector without TLS, or https://host:4317"}},
		{"a collector of another protocol", []string{"--sandbox", "--otlp-endpoint=grpc://secret:4317"}, []string{"--otlp-endpoint: must be http://host:4317"}},
		{"a collector without a host", []string{"--sandbox", "--otlp-endpoint=http://:4317"}, []string{"--otlp-endpoint: must be http://host:4317"}},
		{"a collector with a password", []string{"--sandbox", "--otlp-endpoint=https://me:secret@collector"}, []string{"--otlp-endpoint: must not hold a user name or password; give headers for the collector in OTEL_EXPORTER_OTLP_HEADERS"}},
		{"a collector with the path of OTLP over HTTP", []string{"--sandbox", "--otlp-endpoint=http://collector:4318/v1/traces"}, []string{"--otlp-endpoint: must end after the port: OTLP over gRPC has no path"}},
		{"a collector with a query", []string{"--sandbox", "--otlp-endpoint=https://collector?key=secret"}, []string{"--otlp-endpoint: must end after the port"}},
		{"a collector at no port", []string{"--sandbox", "--otlp-endpoint=https://collector:70000"}, []string{"--otlp-endpoint: the port must be a number from 1 to 65535"}},
		{"more traces than there are", []string{"--sandbox", "--trace-ratio=1.5"}, []string{"--trace-ratio=1.5: must be from 0 to 1"}},
		{"no number of traces", []string{"--sandbox", "--trace-ratio=NaN"}, []string{"--trace-ratio=NaN: must be from 0 to 1"}},
		{"everything else", []string{"--sandbox", "--write-mode=x", "--get-timeout=0", "--put-timeout=-1s", "--default-timeout=2m", "--drain-timeout=0s", "--write-settle-time=0s", "--log-level=loud", "--log-format=xml", "--grpc-addr=9090", "--http-addr=127.0.0.1:http!"}, []string{
			"--default-timeout=2m0s: no call may take longer than 60s", "--drain-timeout=0s: must be a positive time", "--get-timeout=0s: must be a positive time",
			"--grpc-addr=9090: must be host:port", "--http-addr=127.0.0.1:http!: the port must be a number", "--log-format=xml: must be text or json",
			"--log-level=loud: must be debug, info, warn or error", "--put-timeout=-1s: must be a positive time", "--write-mode=x: must be auto, merge, atomic or replace", "--write-settle-time=0s: must be a positive time",
		}},
	} {
		t.Run(row.name, func(t *testing.T) { checkFaults(t, parse(t, row.args...).Validate(), row.faults) })
	}
}

// Two free ports differ, the loopback addresses are several, and the sandbox store's address counts only with --sandbox.
func TestAddressesThatOnlyLookTheSameAreAllowed(t *testing.T) {
	for _, cfg := range []Config{
		{GRPCAddr: "127.0.0.1:0", HTTPAddr: "127.0.0.1:0", AdminAddr: "127.0.0.1:0"},
		{GRPCAddr: "127.0.0.1:9000", HTTPAddr: "[::1]:9000", AdminAddr: "127.0.0.1:0"},
		{GRPCAddr: "127.0.0.1:9000", HTTPAddr: "127.0.0.2:9000", AdminAddr: "127.0.0.1:0"},
		{GRPCAddr: "127.0.0.1:9000", HTTPAddr: "127.0.0.1:9001", SandboxAddr: "127.0.0.1:9000", AdminAddr: "127.0.0.1:0"},
	} {
		cfg.CallerAuth = AuthNone
		var f faults
		cfg.validateAddresses(&f)
		if len(f) > 0 {
			t.Errorf("%s and %s: %v", cfg.GRPCAddr, cfg.HTTPAddr, f)
		}
	}
}

// Several gateways need a sandbox store that other machines can reach.
func TestSandboxStoreForOtherMachinesIsAllowedWithoutAuthentication(t *testing.T) {
	if err := parse(t, "--sandbox", "--sandbox-addr=:8081", "--allow-unauthenticated").Validate(); err != nil {
		t.Error(err)
	}
}

func TestDefaultsAreValid(t *testing.T) {
	if err := parse(t, "--sandbox").Validate(); err != nil {
		t.Error(err)
	}
}

// Load reports the faults of the flags together with those of the files.
func TestLoadReportsAllFaultsAtOnce(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name   string
		args   []string
		faults []string
	}{
		{"credentials in the address, and an empty password", []string{"--store-url=https://me:secret@shop.example.com", "--store-username=me", "--store-password-file=" + empty}, []string{
			"--store-password-file=" + empty + ": is empty: write the password into it", "--store-url: must not hold a user name or password",
		}},
		{"credentials over the network without TLS, and no password", []string{"--store-url=http://shop.example.com", "--store-username=me", "--store-password-file=" + empty + "x"}, []string{
			"--store-password-file: open " + empty + "x: no such file or directory; give a file that this process can read",
			"--store-url: http:// would send the credentials over the network unencrypted",
		}},
		{"files that are not needed are not read", []string{"--sandbox", "--store-username=me", "--store-password-file=" + empty}, []string{
			"--sandbox and --store-password-file exclude each other", "--sandbox and --store-username exclude each other",
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := Load(parse(t, row.args...), slog.New(slog.DiscardHandler))
			checkFaults(t, err, row.faults)
		})
	}
}
