package main

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease"
)

// serveConfig is what `serve` can be told. Each flag is an environment variable too: FLUENTCART_GATEWAY_, and its
// name in capitals with underscores.
type serveConfig struct {
	Sandbox              bool     `help:"Run against a built-in stand-in for a store, with four customers."`
	StoreURL             string   `placeholder:"URL" help:"Address of the WordPress site of the store, such as https://shop.example.com; a path in front of /wp-json belongs to it."`
	StoreUsername        string   `placeholder:"NAME" help:"WordPress user the gateway acts as; give it FluentCart's Manager role, never administrator."`
	StorePasswordFile    string   `placeholder:"FILE" help:"File that holds an application password of that user."`
	StoreCA              string   `name:"store-ca" placeholder:"FILE" help:"File with the certificates of those who issue the store's; without it those that the system trusts."`
	AllowInsecureStore   bool     `help:"Send the credentials to a store over http:// that is not on this machine."`
	WriteMode            string   `default:"merge" placeholder:"MODE" help:"merge reads the customer first and changes only what is named; replace sends one PUT with just what is named, and the store clears the rest (${default})."`
	AllowUserLink        bool     `help:"Let callers change user_id, unless something else is said of them. Whoever may do that can take over any WordPress account."`
	GRPCAddr             string   `name:"grpc-addr" default:"127.0.0.1:9090" placeholder:"ADDR" help:"Where to serve gRPC (${default}); port 0 takes a free one."`
	HTTPAddr             string   `name:"http-addr" default:"127.0.0.1:8080" placeholder:"ADDR" help:"Where to serve JSON over HTTP (${default})."`
	AdminAddr            string   `default:"127.0.0.1:9091" placeholder:"ADDR" help:"Where to serve /livez, /readyz and /metrics over HTTP (${default}). Nobody has to prove who they are there."`
	AdminPprof           bool     `help:"Serve /debug/pprof/ there too. On this machine only."`
	CallerAuth           string   `default:"none" placeholder:"HOW" help:"How callers prove who they are, on both doors: none (on this machine only), token (bearer tokens of --token-file), mtls (client certificates), store (every caller brings an account of the store, which decides) (${default})."`
	AllowUnauthenticated bool     `help:"Let everybody in who can reach the gateway, from other machines too. Whoever can may change every customer."`
	TokenFile            string   `placeholder:"FILE" help:"File of the tokens that callers may have; \"fluentcart-gateway token\" makes its lines."`
	TLSCert              string   `name:"tls-cert" placeholder:"FILE" help:"Certificate of both doors, in PEM, with those of its issuers behind it. Like all files it is read again when it changes."`
	TLSKey               string   `name:"tls-key" placeholder:"FILE" help:"Its private key."`
	TLSClientCA          string   `name:"tls-client-ca" placeholder:"FILE" help:"Certificates of those who issue the callers' certificates."`
	AllowClient          []string `placeholder:"NAME" help:"Name in the certificate of a caller who may call: a DNS name, an IP address or a URI. With =status, =user_id, =status+user_id or =- behind it only those of these two may be changed. Give several with commas between, or the flag several times."`
	SandboxAddr          string   `default:"127.0.0.1:8081" placeholder:"ADDR" help:"Where the built-in stand-in listens (${default}). Loopback only."`
	RedisURL             string   `name:"redis-url" placeholder:"URL" help:"Redis through which several gateways in front of one store take turns, such as redis://host:6379/0. Without it a gateway must be the only one."`
	RedisPasswordFile    string   `placeholder:"FILE" help:"File that holds the password of Redis."`
	MaxInFlight          int      `default:"4" placeholder:"N" help:"How many updates may work on the store at once (${default}); as many as the store has PHP workers."`
	MaxQueue             int      `default:"256" placeholder:"N" help:"How many updates may wait besides (${default}); what comes on top is refused."`
	StoreRate            float64  `placeholder:"N" help:"How many requests a second the store gets at the most; an update is two. Without it there is no bound but --max-in-flight."`
	SettleTime           duration `name:"write-settle-time" default:"30s" placeholder:"TIME" help:"How long after it was sent a write may still land in the store (${default}): not less than PHP may run. For so long nobody else may update a customer of whom it is not known whether a write happened."`
	GetTimeout           duration `default:"5s" placeholder:"TIME" help:"How long one read from the store may take (${default})."`
	PutTimeout           duration `default:"10s" placeholder:"TIME" help:"How long one write to the store may take (${default}). It runs to its end even when the caller has left."`
	DefaultTimeout       duration `default:"30s" placeholder:"TIME" help:"Deadline of callers who set none (${default}); at most 60s."`
	DrainTimeout         duration `default:"25s" placeholder:"TIME" help:"How long calls in flight may take to end after SIGTERM or SIGINT (${default})."`
	LogLevel             string   `default:"info" placeholder:"LEVEL" help:"debug, info, warn or error (${default})."`
	LogFormat            string   `default:"text" placeholder:"FORMAT" help:"text or json (${default})."`

	unreadable []error         // what is wrong with the values of flags
	unread     map[string]bool // the flags that this is about
	logger     *slog.Logger    // set by serve
	files      files           // read by check
	clients    []auth.Client   // read by check from AllowClient

	// sabotage is for tests that must find what goes wrong without a part of the leases; else it is nil.
	sabotage func(lease.Locker) lease.Locker
}

// duration is a time.Duration that keeps what is wrong with it for check, which reports all faults at once.
type duration struct {
	time.Duration
	malformed string
}

// UnmarshalText never fails.
func (d *duration) UnmarshalText(text []byte) error { //nolint:unparam // encoding.TextUnmarshaler wants an error
	value, err := time.ParseDuration(string(text))
	d.Duration = value
	if err != nil || value <= 0 {
		d.malformed = shownValue(string(text))
	}
	return nil
}

// check finds all faults, and reads what the configuration points to. Each fault says what to do.
func (c *serveConfig) check() error {
	faults := slices.Clone(c.unreadable)
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }

	switch {
	case c.Sandbox:
		faults = append(faults, c.checkSandbox()...)
	case c.StoreURL == "":
		fault("no store: give --store-url (with --store-username and --store-password-file), or --sandbox to try the gateway out")
	default:
		faults = append(faults, c.checkStore()...)
	}
	if mode := service.WriteMode(c.WriteMode); mode != service.Merge && mode != service.Replace {
		fault("--write-mode=%s: must be merge or replace", c.WriteMode)
	}
	faults = append(faults, c.checkCallers()...)
	faults = append(faults, c.checkAddresses()...)
	for flag, value := range map[string]duration{
		"get-timeout": c.GetTimeout, "put-timeout": c.PutTimeout, "default-timeout": c.DefaultTimeout, "drain-timeout": c.DrainTimeout, "write-settle-time": c.SettleTime,
	} {
		if value.malformed != "" {
			fault("--%s=%s: must be a positive time with its unit, such as 500ms, 5s or 1m", flag, value.malformed)
		}
	}
	if c.DefaultTimeout.Duration > time.Minute {
		fault("--default-timeout=%s: no call may take longer than 60s; give 60s or less", c.DefaultTimeout.Duration)
	}
	for flag, value := range map[string]duration{"get-timeout": c.GetTimeout, "put-timeout": c.PutTimeout} {
		if value.Duration > maxStoreTimeout {
			fault("--%s=%s: give %s or less; a store that takes longer is not working", flag, value.Duration, maxStoreTimeout)
		}
	}
	if pair := c.GetTimeout.Duration + c.PutTimeout.Duration; c.DrainTimeout.malformed == "" && c.DrainTimeout.Duration < pair {
		fault("--drain-timeout=%s: the read and the write of a call in flight may take %s (--get-timeout and --put-timeout); give at least that", c.DrainTimeout.Duration, pair)
	}
	if c.SettleTime.malformed == "" && c.SettleTime.Duration < c.PutTimeout.Duration {
		fault("--write-settle-time=%s: a write that is still being waited for (--put-timeout=%s) may land; give at least that", c.SettleTime.Duration, c.PutTimeout.Duration)
	}
	for flag, value := range map[string]int{"max-in-flight": c.MaxInFlight, "max-queue": c.MaxQueue} {
		if !c.unread[flag] && (value < 1 || value > maxCalls) {
			fault("--%s=%d: must be from 1 to %d", flag, value, maxCalls)
		}
	}
	if c.StoreRate < 0 || c.StoreRate > 0 && c.StoreRate < minStoreRate {
		fault("--store-rate=%v: must be %v or more requests a second", c.StoreRate, minStoreRate)
	}
	faults = append(faults, c.checkRedis()...)
	if _, err := c.level(); err != nil {
		fault("--log-level=%s: must be debug, info, warn or error", c.LogLevel)
	}
	if c.LogFormat != "text" && c.LogFormat != "json" {
		fault("--log-format=%s: must be text or json", c.LogFormat)
	}
	slices.SortFunc(faults, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(faults...)
}

// maxStoreTimeout is the longest that one call to the store may take. The JSON door still has a connection to
// answer on after both.
const maxStoreTimeout = 30 * time.Second

const (
	// maxCalls bounds what may work and wait: each call in the gateway takes some memory.
	maxCalls = 100_000
	// minStoreRate lets an update, which is two requests, through in a few seconds.
	minStoreRate = 0.5
)

// checkAddresses checks where to listen.
func (c *serveConfig) checkAddresses() []error {
	var faults []error
	listeners := c.listeners()
	flags := map[string]string{} // by address
	for _, flag := range slices.Sorted(maps.Keys(listeners)) {
		addr := listeners[flag]
		if problem := c.checkAddress(flag, addr); problem != "" {
			faults = append(faults, fmt.Errorf("--%s=%s: %s", flag, addr, problem))
			continue
		}
		// localhost is 127.0.0.1 to a listener; port 0 is another free one each time.
		addr = strings.Replace(addr, "localhost:", "127.0.0.1:", 1)
		if first, taken := flags[addr]; taken && !strings.HasSuffix(addr, ":0") {
			faults = append(faults, fmt.Errorf("--%s is the same as --%s: give each a port of its own", flag, first))
			continue
		}
		flags[addr] = flag
	}
	return faults
}

// listeners are the addresses to listen on, by flag.
func (c *serveConfig) listeners() map[string]string {
	addresses := map[string]string{"grpc-addr": c.GRPCAddr, "http-addr": c.HTTPAddr, "admin-addr": c.AdminAddr}
	if c.Sandbox {
		addresses["sandbox-addr"] = c.SandboxAddr
	}
	return addresses
}

// level is the level of the log.
func (c *serveConfig) level() (slog.Level, error) {
	var level slog.Level
	err := level.UnmarshalText([]byte(c.LogLevel))
	return level, err
}

// checkAddress returns what is wrong with an address to listen on. Where callers do not prove who they are, only this
// machine may reach the gateway: it holds a credential that can rewrite every customer of a shop.
func (c *serveConfig) checkAddress(flag, addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "must be host:port, such as 127.0.0.1:9090"
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "the port must be a number from 0 to 65535"
	}
	switch {
	case isLoopback(host):
	case flag == "admin-addr" && c.AdminPprof:
		return "--admin-pprof shows the inside of the process to whoever asks, so it is served on this machine only; use 127.0.0.1, [::1] or localhost, or leave --admin-pprof out"
	case flag == "admin-addr": // it shows nothing that must not be seen, and Prometheus is elsewhere as a rule
	case flag == "sandbox-addr":
		return "everybody knows the password of the built-in stand-in, so it listens on this machine only; use 127.0.0.1, [::1] or localhost"
	case c.CallerAuth == authNone && !c.AllowUnauthenticated:
		return "callers are not authenticated, so the gateway listens on this machine only; use 127.0.0.1, [::1] or localhost, choose how callers prove who they are with --caller-auth, or let everybody in with --allow-unauthenticated"
	}
	return ""
}

func isLoopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}
