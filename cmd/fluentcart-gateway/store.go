package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/filereload"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// checkStore checks the settings of a real store, and reads the password.
func (c *serveConfig) checkStore() []error {
	var faults []error
	base, err := fluentcart.ParseBaseURL(c.StoreURL)
	switch {
	case err != nil:
		faults = append(faults, fmt.Errorf("--store-url: %w", err)) // its value may hold a password, and is not shown
	case base.Scheme == "http" && !isLoopback(base.Hostname()) && !c.AllowInsecureStore:
		faults = append(faults, errors.New("--store-url: http:// would send the credentials over the network unencrypted; use https://, or give --allow-insecure-store"))
	}
	if c.StoreCA != "" {
		if err := load(c, &c.files.storeCA, parseRoots, filereload.Source{Name: "--store-ca", Path: c.StoreCA}); err != nil {
			faults = append(faults, err)
		}
	}
	if c.CallerAuth == authStore {
		return faults // the callers have the accounts
	}
	switch {
	case c.StoreUsername == "":
		faults = append(faults, errors.New("--store-username is missing: give the WordPress user the gateway acts as"))
	case strings.Contains(c.StoreUsername, ":"):
		faults = append(faults, errors.New("--store-username has a colon, which Basic authentication cannot carry: give the user's login name or e-mail address"))
	}
	if c.StorePasswordFile == "" {
		return append(faults, errors.New("--store-password-file is missing: give a file with an application password of that user (WordPress: Users, Profile, Application Passwords)"))
	}
	if err := load(c, &c.files.password, parsePassword, filereload.Source{Name: "--store-password-file", Path: c.StorePasswordFile, Secret: true}); err != nil {
		faults = append(faults, err)
	}
	return faults
}

// checkSandbox finds the settings of a real store, which would be ignored.
func (c *serveConfig) checkSandbox() []error {
	var faults []error
	if c.StoreURL != "" {
		faults = append(faults, errors.New("--sandbox and --store-url exclude each other: choose the built-in stand-in or a store"))
	}
	for flag, value := range map[string]string{"store-username": c.StoreUsername, "store-password-file": c.StorePasswordFile} {
		if value != "" {
			faults = append(faults, fmt.Errorf("--sandbox and --%s exclude each other: the built-in stand-in has an account of its own", flag))
		}
	}
	if c.StoreCA != "" {
		faults = append(faults, errors.New("--sandbox and --store-ca exclude each other: the built-in stand-in speaks no TLS"))
	}
	return faults
}

// storeConfig is how to speak to the store at url.
func (c *serveConfig) storeConfig(url string, measure storeMetrics, logger *slog.Logger) fluentcart.Config {
	transport := fluentcart.NewTransport()
	if c.files.storeCA != nil {
		fluentcart.Trusting(transport, c.files.storeCA.Get)
	}
	store := fluentcart.Config{
		BaseURL:    url,
		GetTimeout: c.GetTimeout.Duration,
		PutTimeout: c.PutTimeout.Duration,
		UserAgent:  "fluentcart-gateway/" + version(),
		Rate:       c.StoreRate,
		Transport:  transport,
		Ended:      measure.ended,
		Retrying:   measure.retrying,
		BreakerChanged: func(open bool) {
			if open {
				logger.Warn("the store fails; it is left alone, and asked again once a second whether it is back")
			} else {
				logger.Info("the store is back")
			}
		},
	}
	switch {
	case c.CallerAuth == authStore:
		store.Credentials = callersOwn
	case c.Sandbox:
		store.Credentials = fluentcart.As(sandbox.AdminUsername, sandbox.AdminPassword)
	default:
		store.Credentials = func(context.Context) fluentcart.Credentials {
			return fluentcart.Credentials{Username: c.StoreUsername, Password: c.files.password.Get()}
		}
		store.Renew = func() { c.files.password.Reload() }
	}
	return store
}

// callersOwn are the credentials of whoever makes a call.
func callersOwn(ctx context.Context) fluentcart.Credentials {
	if who := auth.FromContext(ctx); who != nil && who.Store != nil {
		return fluentcart.Credentials{Username: who.Store.Username, Password: who.Store.Password}
	}
	return fluentcart.Credentials{}
}
