package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/lease"
)

const (
	// maxStoreTimeout bounds one call to the store. The HTTP/JSON gateway still has a connection to answer on after a
	// read and a write that take this long.
	maxStoreTimeout = 30 * time.Second
	// maxCalls bounds the updates at work and in the queue: each call takes some memory.
	maxCalls = 100_000
	// minStoreRate lets an update, which is two requests, through in a few seconds.
	minStoreRate = 0.5
	// maxDrainDelay is more than any balancer needs to notice.
	maxDrainDelay = 10 * time.Minute
	// minConnectionAge keeps a reconnect, with its TLS handshake, rare among the calls.
	minConnectionAge = 10 * time.Second
)

// Validate returns all faults that the flags alone show, sorted. It reads no files.
func (c *Config) Validate() error { return c.faults().sorted() }

func (c *Config) faults() faults {
	var f faults
	c.validateStore(&f)
	c.validateCallers(&f)
	c.validateAddresses(&f)
	c.validateTimes(&f)
	c.validateTraces(&f)
	for flag, value := range map[string]int{"max-in-flight": c.MaxInFlight, "max-queue": c.MaxQueue} {
		if value < 1 || value > maxCalls {
			f.add("--%s=%d: must be from 1 to %d", flag, value, maxCalls)
		}
	}
	if c.StoreRate < 0 || c.StoreRate > 0 && c.StoreRate < minStoreRate {
		f.add("--store-rate=%v: must be %v or more requests per second", c.StoreRate, minStoreRate)
	}
	if c.RedisURL != "" {
		if err := lease.CheckURL(c.RedisURL); err != nil {
			f.add("--redis-url: %w", err)
		}
	} else if c.RedisPasswordFile != "" {
		f.add("--redis-password-file has no effect without --redis-url: give both, or none")
	}
	if _, err := c.Level(); err != nil {
		f.add("--log-level=%s: must be debug, info, warn or error", c.LogLevel)
	}
	if c.LogFormat != "text" && c.LogFormat != "json" {
		f.add("--log-format=%s: must be text or json", c.LogFormat)
	}
	return f
}

func (c *Config) validateStore(f *faults) {
	if !slices.Contains(service.WriteModes(), service.WriteMode(c.WriteMode)) {
		f.add("--write-mode=%s: must be auto, merge, atomic or replace", c.WriteMode)
	}
	if c.SandboxCompanion && !c.Sandbox {
		f.add("--sandbox-companion has no effect without --sandbox: a real store gets the companion as a WordPress plug-in")
	}
	switch {
	case c.Sandbox:
		c.validateSandbox(f)
		return
	case c.StoreURL == "":
		f.add("no store: give --store-url (with --store-username and --store-password-file), or --sandbox for the built-in sandbox store")
		return
	}
	base, err := fluentcart.ParseBaseURL(c.StoreURL)
	switch {
	case err != nil:
		f.add("--store-url: %w", err) // the value may hold a password and is not shown
	case base.Scheme == "http" && !isLoopback(base.Hostname()) && !c.AllowInsecureStore:
		f.add("--store-url: http:// would send the credentials over the network unencrypted; use https://, or give --allow-insecure-store")
	}
	if c.CallerAuth == AuthStore {
		return // the callers have the accounts
	}
	switch {
	case c.StoreUsername == "":
		f.add("--store-username is missing: give the WordPress user of the gateway")
	case strings.Contains(c.StoreUsername, ":"):
		f.add("--store-username has a colon, which Basic authentication cannot carry: give the user's login name or e-mail address")
	default:
		if problem := invisible(c.StoreUsername); problem != "" {
			f.add("--store-username %s: remove it, from the environment or the file as well that the name comes from", problem)
		}
	}
	if c.StorePasswordFile == "" {
		f.add("--store-password-file is missing: give a file with an application password of that user (WordPress: Users, Profile, Application Passwords)")
	}
}

// validateSandbox finds the flags of a real store, which would have no effect.
func (c *Config) validateSandbox(f *faults) {
	for _, of := range []struct{ flag, value, reason string }{
		{"store-url", c.StoreURL, "choose the sandbox store or a real store"},
		{"store-username", c.StoreUsername, "the sandbox store has an account of its own"},
		{"store-password-file", c.StorePasswordFile, "the sandbox store has an account of its own"},
		{"store-ca", c.StoreCA, "the sandbox store does not use TLS"},
	} {
		if of.value != "" {
			f.add("--sandbox and --%s exclude each other: %s", of.flag, of.reason)
		}
	}
}

func (c *Config) validateTimes(f *faults) {
	for flag, value := range map[string]time.Duration{
		"get-timeout": c.GetTimeout, "put-timeout": c.PutTimeout, "default-timeout": c.DefaultTimeout, "drain-timeout": c.DrainTimeout, "write-settle-time": c.SettleTime,
	} {
		if value <= 0 {
			f.add("--%s=%s: must be a positive time, such as 500ms, 5s or 1m", flag, value)
		}
	}
	if c.DrainDelay < 0 || c.DrainDelay > maxDrainDelay {
		f.add("--drain-delay=%s: must be from 0s to %s", c.DrainDelay, maxDrainDelay)
	}
	if c.GRPCMaxConnectionAge < minConnectionAge {
		f.add("--grpc-max-connection-age=%s: must be %s or more", c.GRPCMaxConnectionAge, minConnectionAge)
	}
	if c.DefaultTimeout > time.Minute {
		f.add("--default-timeout=%s: no call may take longer than 60s; give 60s or less", c.DefaultTimeout)
	}
	for flag, value := range map[string]time.Duration{"get-timeout": c.GetTimeout, "put-timeout": c.PutTimeout} {
		if value > maxStoreTimeout {
			f.add("--%s=%s: a store that takes longer than %[3]s does not work; give %[3]s or less", flag, value, maxStoreTimeout)
		}
	}
	if pair := c.GetTimeout + c.PutTimeout; c.DrainTimeout > 0 && c.DrainTimeout < pair {
		f.add("--drain-timeout=%s: the read and the write of one call may take %s (--get-timeout and --put-timeout); give at least that", c.DrainTimeout, pair)
	}
	if c.SettleTime > 0 && c.SettleTime < c.PutTimeout {
		f.add("--write-settle-time=%s: the store may still apply a write that the gateway waits for (--put-timeout=%s); give at least that", c.SettleTime, c.PutTimeout)
	}
}

// faults are errors, each of which says what is wrong and what would be right.
type faults []error

func (f *faults) add(format string, args ...any) { *f = append(*f, fmt.Errorf(format, args...)) }

// sorted joins the faults, in the order of their texts.
func (f faults) sorted() error {
	slices.SortFunc(f, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(f...)
}
