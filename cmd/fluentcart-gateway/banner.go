package main

import (
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"

	"github.com/fluentcart-gateway/fluentcart-gateway/cmd/fluentcart-gateway/config"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server/playground"
)

// printBanner prints the store, the listen addresses, the authentication, and what to try. It is for people; programs read the
// line "started" of the log.
func printBanner(out io.Writer, cfg *config.Loaded, client *fluentcart.Client, l *listeners) {
	store := client.String()
	if cfg.Sandbox {
		store = "the sandbox store, whose data ends with this process"
	}
	scheme := "http"
	if cfg.TLSCert != "" {
		scheme = "https"
	}
	fmt.Fprintf(out, "fluentcart-gateway %s, write mode %s, in front of %s\n\n", version(), cfg.WriteMode, store)
	fmt.Fprintf(out, "gRPC      %s\n", l.grpc.Addr())
	fmt.Fprintf(out, "JSON      %s://%s\n", scheme, l.http.Addr())
	if cfg.ServesDocs() {
		fmt.Fprintf(out, "docs      %s://%s%s\n", scheme, l.http.Addr(), playground.PagePath)
	}
	fmt.Fprintf(out, "admin     http://%s\n", l.admin.Addr())
	if redis, err := url.Parse(cfg.RedisURL); err == nil && cfg.RedisURL != "" {
		fmt.Fprintf(out, "Redis     %s%s, leases are shared with other gateways\n", redis.Host, redis.Path) // without credentials
	}
	if cfg.Sandbox {
		fmt.Fprintf(out, "sandbox   http://%s\n", l.sandbox.Addr())
	}
	fmt.Fprintf(out, "callers   %s\n", authentication(cfg))
	if cfg.Sandbox {
		grpcurl, curl := exampleFlags(cfg)
		fmt.Fprintf(out, `
Update customer 1, over gRPC and over HTTP/JSON:

  grpcurl %s -d '{"customer_id":1,"customer":{"city":"Lyon"}}' %s fluentcart.customer.v1.CustomerService/UpdateCustomer

  curl%s -X PATCH %s://%s/v1/customers/1 -H 'Content-Type: application/json' -d '{"city":"Nice"}'

Read it (the sandbox store has customers 1 to 4), here and in the store itself:

  curl%s %s://%s/v1/customers/1

  curl -u '%s:%s' http://%s/wp-json/fluent-cart/v2/customers/1

The store fails on request: http://%s/sandbox/faults shows how, and docs/sandbox.md.
`, grpcurl, l.grpc.Addr(), curl, scheme, l.http.Addr(), curl, scheme, l.http.Addr(), sandbox.AdminUsername, sandbox.AdminPassword, l.sandbox.Addr(), l.sandbox.Addr())
	}
	for _, warning := range warnings(cfg, l) {
		fmt.Fprintf(out, "\nWarning: %s.\n", warning)
	}
	fmt.Fprintln(out, "\nCtrl-C stops.")
}

func authentication(cfg *config.Loaded) string {
	switch cfg.CallerAuth {
	case config.AuthToken:
		return "authenticate with a bearer token of the file " + cfg.TokenFile
	case config.AuthMTLS:
		return "authenticate with a client certificate for one of these names: " + strings.Join(cfg.AllowClient, ", ")
	case config.AuthStore:
		return "authenticate with an account of the store, which decides"
	}
	return "do not authenticate: everyone who can reach the gateway may call"
}

// exampleFlags are the flags with which grpcurl and curl authenticate.
func exampleFlags(cfg *config.Loaded) (grpcurl, curl string) {
	grpcurl = "-plaintext"
	if cfg.TLSCert != "" {
		grpcurl, curl = "-cacert CA.pem", " --cacert CA.pem"
	}
	switch cfg.CallerAuth {
	case config.AuthToken:
		header := ` -H "Authorization: Bearer $TOKEN"`
		return grpcurl + header, curl + header
	case config.AuthMTLS:
		files := " --cert CLIENT.pem --key CLIENT-KEY.pem"
		return grpcurl + strings.ReplaceAll(files, "--", "-"), curl + files
	case config.AuthStore:
		header := fmt.Sprintf(` -H "Authorization: Basic $(printf '%%s' '%s:%s' | base64)"`, sandbox.AdminUsername, sandbox.AdminPassword)
		return grpcurl + header, curl + header
	}
	return grpcurl, curl
}

// warnings name the dangers of flags that an operator has chosen and should not overlook.
func warnings(cfg *config.Loaded, l *listeners) []string {
	var warnings []string
	public := !isLocal(l.grpc) || !isLocal(l.http)
	if public && cfg.CallerAuth == config.AuthNone {
		warnings = append(warnings, "--allow-unauthenticated lets everyone who can reach this machine change every customer of the store")
	}
	if cfg.Sandbox && !isLocal(l.sandbox) {
		warnings = append(warnings, "everyone who can reach this machine can change the customers of the sandbox store and let it fail; its password is public")
	}
	if public && cfg.TLSCert == "" && (cfg.CallerAuth == config.AuthToken || cfg.CallerAuth == config.AuthStore) {
		warnings = append(warnings, "callers send their credentials without TLS, readable on the network; give --tls-cert and --tls-key, unless a proxy in front of the gateway terminates TLS")
	}
	if cfg.AllowUserLink {
		warnings = append(warnings, "--allow-user-link lets callers take over WordPress accounts")
	}
	if cfg.AllowInsecureStore && strings.HasPrefix(cfg.StoreURL, "http://") {
		warnings = append(warnings, "--allow-insecure-store sends the credentials and the customers over the network unencrypted")
	}
	return warnings
}

func isLocal(listener net.Listener) bool {
	address, ok := listener.Addr().(*net.TCPAddr)
	return ok && address.IP.IsLoopback()
}
