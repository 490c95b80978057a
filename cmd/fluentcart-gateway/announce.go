package main

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// announce says what the gateway talks to, where it listens and whom it lets in. Programs read the first lines: a word,
// spaces, an address.
func announce(out io.Writer, cfg *serveConfig, client *fluentcart.Client, l *listeners, logger *slog.Logger) {
	target := client.String()
	if cfg.Sandbox {
		target = "the built-in sandbox; nothing is kept"
	}
	fmt.Fprintf(out, "fluentcart-gateway %s, write mode %s, in front of %s\n\n", version(), cfg.WriteMode, target)
	fmt.Fprintf(out, "gRPC      %s\n", l.grpc.Addr())
	fmt.Fprintf(out, "JSON      %s://%s\n", cfg.scheme(), l.http.Addr())
	fmt.Fprintf(out, "admin     http://%s\n", l.admin.Addr())
	if cfg.RedisURL != "" {
		fmt.Fprintf(out, "Redis     %s, for taking turns with other gateways\n", redisHost(cfg))
	}
	if cfg.Sandbox {
		fmt.Fprintf(out, "sandbox   http://%s\n", l.sandbox.Addr())
	}
	fmt.Fprintf(out, "callers   %s\n", cfg.whoMayCall())
	if cfg.Sandbox {
		grpcurl, curl := cfg.exampleFlags()
		fmt.Fprintf(out, `
Update customer 1, over gRPC and over JSON:

  grpcurl %s -d '{"customer_id":1,"customer":{"city":"Lyon"}}' %s fluentcart.customer.v1.CustomerService/UpdateCustomer

  curl%s -X PATCH %s://%s/v1/customers/1 -H 'Content-Type: application/json' -d '{"city":"Nice"}'

See the customer as the store has it (there are 1 to 4):

  curl -u '%s:%s' http://%s/wp-json/fluent-cart/v2/customers/1
`, grpcurl, l.grpc.Addr(), curl, cfg.scheme(), l.http.Addr(), sandbox.AdminUsername, sandbox.AdminPassword, l.sandbox.Addr())
	}
	for _, danger := range cfg.dangers(l) {
		fmt.Fprintf(out, "\nAttention: %s.\n", danger)
		logger.Warn(danger)
	}
	fmt.Fprintln(out, "\nCtrl-C stops.")
}

func (c *serveConfig) scheme() string {
	if c.TLSCert != "" {
		return "https"
	}
	return "http"
}

func (c *serveConfig) whoMayCall() string {
	switch c.CallerAuth {
	case authToken:
		return "those with a token of " + c.TokenFile
	case authMTLS:
		return "those whose certificates have one of these names: " + strings.Join(c.AllowClient, ", ")
	case authStore:
		return "those with an account of the store, which decides"
	}
	return "everybody who can reach the gateway"
}

// exampleFlags are what grpcurl and curl need to be let in.
func (c *serveConfig) exampleFlags() (grpcurl, curl string) {
	grpcurl = "-plaintext"
	if c.TLSCert != "" {
		grpcurl, curl = "-cacert CA.pem", " --cacert CA.pem"
	}
	switch c.CallerAuth {
	case authToken:
		header := ` -H "Authorization: Bearer $TOKEN"`
		return grpcurl + header, curl + header
	case authMTLS:
		files := " --cert CLIENT.pem --key CLIENT-KEY.pem"
		return grpcurl + strings.ReplaceAll(files, "--", "-"), curl + files
	case authStore:
		header := fmt.Sprintf(` -H "Authorization: Basic $(printf '%%s' '%s:%s' | base64)"`, sandbox.AdminUsername, sandbox.AdminPassword)
		return grpcurl + header, curl + header
	}
	return grpcurl, curl
}

// dangers are what an operator has allowed and should not be able to overlook.
func (c *serveConfig) dangers(l *listeners) []string {
	var dangers []string
	open := !isLocal(l.grpc) || !isLocal(l.http)
	if open && c.CallerAuth == authNone {
		dangers = append(dangers, "--allow-unauthenticated lets everybody who can reach this machine change every customer of the store")
	}
	if open && c.TLSCert == "" && (c.CallerAuth == authToken || c.CallerAuth == authStore) {
		dangers = append(dangers, "callers send their credentials without TLS, to be read by everybody on the way; give --tls-cert and --tls-key, unless something in front of the gateway ends TLS")
	}
	if c.AllowUserLink {
		dangers = append(dangers, "--allow-user-link lets callers take over WordPress accounts")
	}
	if c.AllowInsecureStore && strings.HasPrefix(c.StoreURL, "http://") {
		dangers = append(dangers, "--allow-insecure-store sends the credentials and the customers over the network unencrypted")
	}
	return dangers
}

func isLocal(listener net.Listener) bool {
	address, ok := listener.Addr().(*net.TCPAddr)
	return ok && address.IP.IsLoopback()
}
