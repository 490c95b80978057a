// Package config holds the flags of the gateway, validates them, and reads the files that they name.
package config

import (
	"log/slog"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
)

// Config is the flags. Each is an environment variable too: FLUENTCART_GATEWAY_, and the flag's name in capitals with
// underscores.
type Config struct {
	// The store.
	Sandbox            bool   `help:"Run against the built-in sandbox store, which has four customers."`
	SandboxCompanion   bool   `help:"Give the sandbox store the companion, the WordPress plug-in that makes updates atomic."`
	StoreURL           string `placeholder:"URL" help:"Address of the store's WordPress site, such as https://shop.example.com. A path before /wp-json is part of it."`
	StoreUsername      string `placeholder:"NAME" help:"WordPress user of the gateway. Give this user FluentCart's Manager role, never administrator."`
	StorePasswordFile  string `placeholder:"FILE" help:"File with an application password of that user."`
	StoreCA            string `name:"store-ca" placeholder:"FILE" help:"CA certificates that the store's certificate is verified with, in PEM. Without it: those of the system."`
	AllowInsecureStore bool   `help:"Allow a store URL with http:// that is not on this machine: the credentials are sent unencrypted."`
	StorePutAsPost     bool   `help:"Send updates as POST with the header X-HTTP-Method-Override: PUT, for a host that refuses PUT."`
	WriteMode          string `default:"auto" placeholder:"MODE" help:"auto is atomic while the store has the WordPress companion, and else merge; merge reads the customer first and changes only the fields of the request; atomic changes them by one request to the companion; replace sends one PUT with only these fields, and the store clears the rest (${default})."`
	AllowUserLink      bool   `help:"Allow callers to change user_id unless their own permissions say otherwise. A caller with this permission can take over any WordPress account."`

	// The listeners.
	GRPCAddr    string `name:"grpc-addr" default:"127.0.0.1:9090" placeholder:"ADDR" help:"Listen address of the gRPC server (${default}). Port 0 chooses a free port."`
	HTTPAddr    string `name:"http-addr" default:"127.0.0.1:8080" placeholder:"ADDR" help:"Listen address of the HTTP/JSON gateway (${default})."`
	Docs        *bool  `negatable:"" help:"Serve the playground at /docs and the OpenAPI document at /openapi.json, both without authentication. On with --sandbox, off without it; --no-docs switches it off."`
	AdminAddr   string `default:"127.0.0.1:9091" placeholder:"ADDR" help:"Listen address of the admin server with /livez, /readyz and /metrics (${default}). It does not authenticate."`
	AdminPprof  bool   `help:"Serve /debug/pprof/ on the admin server. Only on loopback addresses."`
	SandboxAddr string `default:"127.0.0.1:8081" placeholder:"ADDR" help:"Listen address of the sandbox store (${default}). Only loopback addresses, except with --allow-unauthenticated."`

	// The callers.
	CallerAuth           string   `default:"none" placeholder:"MODE" help:"How callers authenticate, on both transports: none (only on loopback addresses), token (a bearer token of --token-file), mtls (a client certificate), store (an account of the store, which is forwarded to the store) (${default})."`
	AllowUnauthenticated bool     `help:"Allow callers from other machines without authentication. Each of them can change every customer."`
	TokenFile            string   `placeholder:"FILE" help:"File with the callers' tokens. \"fluentcart-gateway token\" makes its lines."`
	TLSCert              string   `name:"tls-cert" placeholder:"FILE" help:"Certificate of both transports in PEM, followed by its intermediate certificates. Like all files it is reloaded when it changes."`
	TLSKey               string   `name:"tls-key" placeholder:"FILE" help:"Private key of --tls-cert."`
	TLSClientCA          string   `name:"tls-client-ca" placeholder:"FILE" help:"CA certificates that client certificates are verified with, in PEM."`
	AllowClient          []string `placeholder:"NAME" help:"Allowed name in a client certificate: a DNS name, an IP address or a URI. Append =status, =user_id, =status+user_id or =- to limit which of these two fields the caller may change. Separate several names with commas, or repeat the flag."`

	// Redis.
	RedisURL          string `name:"redis-url" placeholder:"URL" help:"Redis server through which several gateways share the leases of one store, such as redis://host:6379/0. Without it there must be only one gateway."`
	RedisPasswordFile string `placeholder:"FILE" help:"File with the password of Redis."`

	// The limits.
	MaxInFlight    int           `default:"4" placeholder:"N" help:"Slots: how many updates and reads may use the store at the same time (${default}). Choose the number of the store's PHP workers."`
	MaxQueue       int           `default:"256" placeholder:"N" help:"How many more updates and reads may wait in the queue (${default}). Further ones are rejected."`
	StoreRate      float64       `placeholder:"N" help:"Maximum of requests to the store per second. An update is two requests, a read one. Without it only --max-in-flight limits them."`
	SettleTime     time.Duration `name:"write-settle-time" default:"30s" placeholder:"TIME" help:"How long after sending a write may still be applied by the store (${default}). Choose at least PHP's time limit. While a write is in doubt, further updates of its customer wait this long."`
	GetTimeout     time.Duration `default:"5s" placeholder:"TIME" help:"Timeout of one read from the store (${default})."`
	PutTimeout     time.Duration `default:"10s" placeholder:"TIME" help:"Timeout of one write to the store (${default}). A write continues after its caller has left."`
	DefaultTimeout time.Duration `default:"30s" placeholder:"TIME" help:"Deadline of calls that have none (${default}); at most 60s."`
	DrainDelay     time.Duration `default:"0s" placeholder:"TIME" help:"How long calls are still accepted after SIGTERM or SIGINT, while /readyz and health checks say that the gateway is not ready (${default}). Choose the time that the balancer in front needs to notice."`
	DrainTimeout   time.Duration `default:"25s" placeholder:"TIME" help:"How long calls may take to end after SIGTERM or SIGINT and --drain-delay (${default})."`

	GRPCMaxConnectionAge time.Duration `name:"grpc-max-connection-age" default:"5m" placeholder:"TIME" help:"When gRPC clients are asked to reconnect, so that new gateways get calls (${default}, varied by a tenth)."`

	// Traces.
	OTLPEndpoint string  `name:"otlp-endpoint" placeholder:"URL" help:"OpenTelemetry collector that gets traces, by OTLP over gRPC: http://host:4317, or https://host:4317 for TLS. Without it there are none."`
	TraceRatio   float64 `default:"1" placeholder:"N" help:"Part of the traces that is recorded, from 0 to 1 (${default}). A caller's traceparent decides for its own calls."`

	// The log.
	LogLevel  string `default:"info" placeholder:"LEVEL" help:"debug, info, warn or error (${default})."`
	LogFormat string `default:"text" placeholder:"FORMAT" help:"text or json (${default})."`
}

// Flags is Config for a command line. It has no methods: kong would call Validate, for all commands and before Load.
type Flags Config

// The values of CallerAuth.
const (
	AuthNone  = "none"
	AuthToken = "token"
	AuthMTLS  = "mtls"
	AuthStore = "store"
)

// Level is the log level. Its error means that LogLevel is not one.
func (c *Config) Level() (slog.Level, error) {
	var level slog.Level
	err := level.UnmarshalText([]byte(c.LogLevel))
	return level, err
}

// ServesDocs reports whether the HTTP/JSON gateway serves the playground.
func (c *Config) ServesDocs() bool {
	if c.Docs == nil {
		return c.Sandbox
	}
	return *c.Docs
}

// DefaultPermissions are those of callers without permissions of their own.
func (c *Config) DefaultPermissions() auth.Permissions {
	return auth.Permissions{Status: true, UserID: c.AllowUserLink}
}
