package config

import (
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
)

func (c *Config) validateCallers(f *faults) {
	allowed := strings.Join(c.AllowClient, "")
	for _, of := range []struct{ mode, flag, value, wanted string }{
		{AuthToken, "token-file", c.TokenFile, "a file of tokens, whose lines `fluentcart-gateway token NAME` makes"},
		{AuthMTLS, "tls-client-ca", c.TLSClientCA, "the CA certificates that client certificates are verified with"},
		{AuthMTLS, "allow-client", allowed, "the allowed names in client certificates"},
	} {
		switch {
		case c.CallerAuth == of.mode && of.value == "":
			f.add("--caller-auth=%s needs --%s: give %s", of.mode, of.flag, of.wanted)
		case c.CallerAuth != of.mode && of.value != "":
			f.add("--%s has no effect without --caller-auth=%s: give both, or none", of.flag, of.mode)
		}
	}
	switch c.CallerAuth {
	case AuthNone, AuthToken:
	case AuthMTLS:
		if c.TLSCert == "" {
			f.add("--caller-auth=mtls needs --tls-cert: give the certificate of this gateway")
		}
	case AuthStore:
		for flag, value := range map[string]string{"store-username": c.StoreUsername, "store-password-file": c.StorePasswordFile} {
			if value != "" {
				f.add("--caller-auth=store and --%s exclude each other: every caller brings an account of its own, and the gateway has none", flag)
			}
		}
	default:
		f.add("--caller-auth=%s: must be none, token, mtls or store", c.CallerAuth)
	}
	if c.AllowUnauthenticated && c.CallerAuth != AuthNone {
		f.add("--allow-unauthenticated contradicts --caller-auth=%s: leave one of them out", c.CallerAuth)
	}
	for _, text := range c.AllowClient {
		if _, err := auth.ParseClient(text, c.DefaultPermissions()); err != nil {
			f.add("--allow-client=%s: %w", text, err)
		}
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		f.add("--tls-cert and --tls-key belong together: give both, or none")
	}
}

func (c *Config) validateAddresses(f *faults) {
	addresses := map[string]string{"grpc-addr": c.GRPCAddr, "http-addr": c.HTTPAddr, "admin-addr": c.AdminAddr}
	if c.Sandbox {
		addresses["sandbox-addr"] = c.SandboxAddr
	}
	flags := map[string]string{} // by address
	for _, flag := range slices.Sorted(maps.Keys(addresses)) {
		addr := addresses[flag]
		if problem := c.addressProblem(flag, addr); problem != "" {
			f.add("--%s=%s: %s", flag, addr, problem)
			continue
		}
		// localhost is 127.0.0.1 to a listener; port 0 is a different free port each time.
		addr = strings.Replace(addr, "localhost:", "127.0.0.1:", 1)
		if first, taken := flags[addr]; taken && !strings.HasSuffix(addr, ":0") {
			f.add("--%s is the same as --%s: give each a port of its own", flag, first)
			continue
		}
		flags[addr] = flag
	}
}

// addressProblem returns what is wrong with a listen address. Without authentication only loopback addresses are allowed:
// the gateway holds a credential that can rewrite every customer of a shop.
func (c *Config) addressProblem(flag, addr string) string {
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
		return "--admin-pprof shows the memory of the process without authentication, so the admin server may listen on loopback addresses only; use 127.0.0.1, [::1] or localhost, or leave --admin-pprof out"
	case flag == "admin-addr": // it shows nothing confidential, and Prometheus usually runs on a different machine
	case flag == "sandbox-addr" && !c.AllowUnauthenticated:
		return "the password of the sandbox store is public, so it may listen on loopback addresses only; use 127.0.0.1, [::1] or localhost, or give --allow-unauthenticated"
	case flag == "sandbox-addr": // its customers are no secret, and may be changed then through the transports as well
	case c.CallerAuth == AuthNone && !c.AllowUnauthenticated:
		return "callers are not authenticated, so the gateway may listen on loopback addresses only; use 127.0.0.1, [::1] or localhost, choose how callers authenticate with --caller-auth, or give --allow-unauthenticated"
	}
	return ""
}

func isLoopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}
