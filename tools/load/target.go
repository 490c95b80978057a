package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
)

// target is a running gateway. Its zero value stands for a gateway that is started here.
type target struct {
	addr, admin       string
	allowRemote       bool
	remoteHost        string
	tls               bool
	cacert, cert, key string
	tokenFile         string
}

func (t *target) addFlags(flags *flag.FlagSet) {
	flags.StringVar(&t.addr, "addr", "", "`host:port` of a running gateway: of its gRPC server, or with -mode=http of its HTTP/JSON gateway")
	flags.StringVar(&t.admin, "admin", "", "`URL` of the admin server of the running gateway, whose metrics count what reaches the store")
	flags.BoolVar(&t.allowRemote, "allow-remote", false, "send to an address that is not on this machine; needs -remote-host")
	flags.StringVar(&t.remoteHost, "remote-host", "", "the `host` of -addr once more, if it is not on this machine")
	flags.BoolVar(&t.tls, "tls", false, "use TLS; -cacert and -cert imply it")
	flags.StringVar(&t.cacert, "cacert", "", "`file` with the CA certificates of the gateway, as PEM; empty is those of this machine")
	flags.StringVar(&t.cert, "cert", "", "`file` with a client certificate, as PEM")
	flags.StringVar(&t.key, "key", "", "`file` with its private key, as PEM")
	flags.StringVar(&t.tokenFile, "token-file", "", "`file` with the bearer token of the caller (not the gateway's token file, which has digests)")
}

func (t *target) validate(f *faults) {
	t.tls = t.tls || t.cacert != "" || t.cert != ""
	f.check((t.cert == "") == (t.key == ""), "-cert and -key need each other")
	if t.addr == "" {
		f.check(*t == (target{}), "-admin, -allow-remote, -remote-host, -tls, -cacert, -cert, -key and -token-file are about a running gateway: give -addr")
		return
	}
	f.check(t.allowRemote == (t.remoteHost != ""), "-allow-remote and -remote-host need each other: both are for an -addr that is not on this machine")
	f.check(!t.allowRemote || t.tokenFile == "" || t.tls, "-token-file without -tls would send the token over the network unencrypted")
	if t.admin != "" {
		u, err := url.Parse(t.admin)
		f.check(err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https"), "-admin=%s: must be a URL such as http://127.0.0.1:9091", t.admin)
	}
}

// check returns an error for an address that is not on this machine, unless two flags say that it is meant.
func (t *target) check(ctx context.Context, customers string) error {
	host, _, err := net.SplitHostPort(t.addr)
	if err != nil || host == "" {
		return fmt.Errorf("-addr=%s: must be host:port, such as 127.0.0.1:9090", t.addr)
	}
	if t.allowRemote {
		if t.remoteHost != host {
			return fmt.Errorf("-remote-host=%s is not the host of -addr=%s", t.remoteHost, t.addr)
		}
	} else if remote, err := remoteAddress(ctx, host); err != nil {
		return fmt.Errorf("-addr=%s: %w", t.addr, err)
	} else if remote != "" {
		return fmt.Errorf("-addr=%s is not on this machine (%s). The load goes through that gateway to its store, which may be a live shop, "+
			"and overwrites the notes of its customers %s. If that is meant, add both -allow-remote and -remote-host=%s", t.addr, remote, customers, host)
	}
	if t.admin == "" {
		return nil
	}
	admin, err := url.Parse(t.admin)
	if err != nil {
		return err
	}
	remote, err := remoteAddress(ctx, admin.Hostname())
	if err == nil && remote != "" && admin.Hostname() != t.remoteHost {
		err = fmt.Errorf("is not on this machine (%s); it must be, or have the host of -remote-host", remote)
	}
	if err != nil {
		return fmt.Errorf("-admin=%s: %w", t.admin, err)
	}
	return nil
}

// remoteAddress returns an address of the host that is not on this machine, or nothing if all are.
func remoteAddress(ctx context.Context, host string) (string, error) {
	addresses, err := net.DefaultResolver.LookupIPAddr(ctx, host)
	if err != nil {
		return "", err
	}
	for _, address := range addresses {
		if !address.IP.IsLoopback() {
			return address.String(), nil
		}
	}
	return "", nil
}

// tlsConfig returns nothing if the gateway is called without TLS.
func (t *target) tlsConfig() (*tls.Config, error) {
	if !t.tls {
		return nil, nil //nolint:nilnil // as the doc comment says
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if t.cacert != "" {
		content, err := os.ReadFile(t.cacert)
		if err != nil {
			return nil, fmt.Errorf("-cacert: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(content) {
			return nil, fmt.Errorf("-cacert=%s: has no PEM certificate", t.cacert)
		}
	}
	if t.cert != "" {
		certificate, err := tls.LoadX509KeyPair(t.cert, t.key)
		if err != nil {
			return nil, fmt.Errorf("-cert, -key: %w", err)
		}
		config.Certificates = []tls.Certificate{certificate}
	}
	return config, nil
}

// authorization returns the value of the authorization header, or nothing.
func (t *target) authorization() (string, error) {
	if t.tokenFile == "" {
		return "", nil
	}
	content, err := os.ReadFile(t.tokenFile)
	if err != nil {
		return "", fmt.Errorf("-token-file: %w", err)
	}
	token := strings.TrimSpace(string(content))
	switch {
	case strings.Contains(token, "sha256:"):
		err = errors.New("has the digest of a token, as the gateway's own file; it must have the token that a caller sends")
	case token == "" || strings.ContainsAny(token, " \t\r\n"):
		err = errors.New("must have one token and nothing else")
	}
	if err != nil {
		return "", fmt.Errorf("-token-file=%s: %w", t.tokenFile, err)
	}
	return "Bearer " + token, nil
}
