package config

import (
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/filereload"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/secret"
)

// Loaded is a valid configuration together with its files. A file that no flag names, or that is not needed, is nil.
type Loaded struct {
	*Config

	StorePassword *filereload.Value[secret.Text]
	RedisPassword *filereload.Value[secret.Text]
	StoreCA       *filereload.Value[*x509.CertPool]
	// Files are all files, which filereload.Watch keeps up to date.
	Files []filereload.File

	tokens   *filereload.Value[*auth.Tokens]
	clients  []auth.Client // of AllowClient
	tls      *filereload.Value[*tls.Config]
	clientCA *filereload.Value[*x509.CertPool]
}

// Load reads the files that the flags name. Its error has the faults of Validate and those of the files, sorted. The
// logger is for later reloads.
func Load(c *Config, logger *slog.Logger) (*Loaded, error) {
	l := loader{faults: c.faults(), logger: logger}
	loaded := &Loaded{Config: c}
	realStore := !c.Sandbox && c.StoreURL != ""
	if realStore && c.StoreCA != "" {
		loaded.StoreCA = load(&l, parseCertificates, filereload.Source{Name: "--store-ca", Path: c.StoreCA})
	}
	if realStore && c.CallerAuth != AuthStore && c.StorePasswordFile != "" {
		loaded.StorePassword = load(&l, parsePassword, filereload.Source{Name: "--store-password-file", Path: c.StorePasswordFile, Secret: true})
	}
	if c.RedisPasswordFile != "" {
		loaded.RedisPassword = load(&l, parsePassword, filereload.Source{Name: "--redis-password-file", Path: c.RedisPasswordFile, Secret: true})
	}
	loaded.loadCallers(&l)
	loaded.loadTLS(&l)
	loaded.Files = l.files
	if err := l.faults.sorted(); err != nil {
		return nil, err
	}
	return loaded, nil
}

func (c *Loaded) loadCallers(l *loader) {
	for _, text := range c.AllowClient {
		if client, err := auth.ParseClient(text, c.DefaultPermissions()); err == nil { // Validate has reported the error
			c.clients = append(c.clients, client)
		}
	}
	if c.TokenFile == "" {
		return
	}
	parse := func(contents [][]byte) (*auth.Tokens, error) {
		return auth.ParseTokens(contents[0], c.DefaultPermissions())
	}
	c.tokens = load(l, parse, filereload.Source{Name: "--token-file", Path: c.TokenFile, Secret: true})
	if c.tokens != nil && c.tokens.Get().Len() == 0 {
		l.faults.add("--token-file=%s has no tokens: make one with `fluentcart-gateway token NAME`, which prints the line for this file", c.TokenFile)
	}
}

// loadTLS reads the certificates of both transports.
func (c *Loaded) loadTLS(l *loader) {
	clientCA := filereload.Source{Name: "--tls-client-ca", Path: c.TLSClientCA}
	if c.TLSClientCA != "" {
		if c.clientCA = load(l, parseCertificates, clientCA); c.clientCA == nil {
			return
		}
	}
	if c.TLSCert == "" || c.TLSKey == "" {
		return
	}
	sources := []filereload.Source{{Name: "--tls-cert", Path: c.TLSCert}, {Name: "--tls-key", Path: c.TLSKey, Secret: true}}
	if c.TLSClientCA == "" {
		c.tls = load(l, parseKeyPair, sources...)
	} else {
		c.tls = load(l, parseMutualTLS, append(sources, clientCA)...)
	}
}

// Authenticator authenticates callers in the way that CallerAuth chooses.
func (c *Loaded) Authenticator() auth.Authenticator {
	switch c.CallerAuth {
	case AuthToken:
		return auth.Bearers{Tokens: c.tokens.Get}
	case AuthMTLS:
		return auth.NewCertificates(c.clientCA.Get, c.clients)
	case AuthStore:
		return auth.NewStoreUsers(c.DefaultPermissions())
	}
	return auth.Anyone{May: c.DefaultPermissions()}
}

// TLS is the configuration of both transports, nil without TLS. Each handshake uses the certificates of the last reload.
func (c *Loaded) TLS() *tls.Config {
	if c.tls == nil {
		return nil
	}
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return c.tls.Get(), nil },
	}
}

// CertificateExpiry is when the certificate of both transports expires. It must not be called without TLS.
func (c *Loaded) CertificateExpiry() time.Time { return c.tls.Get().Certificates[0].Leaf.NotAfter }

// loader collects what Load has read, and the faults.
type loader struct {
	faults faults
	files  []filereload.File
	logger *slog.Logger
}

// load reads a file, or files that belong together. It returns nil after a fault.
func load[T any](l *loader, parse func([][]byte) (T, error), sources ...filereload.Source) *filereload.Value[T] {
	value, err := filereload.Load(filereload.Config[T]{Sources: sources, Make: parse, Logger: l.logger})
	if err != nil {
		l.faults = append(l.faults, err)
		return nil
	}
	l.files = append(l.files, value)
	return value
}
