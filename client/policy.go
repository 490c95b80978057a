package client

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"google.golang.org/grpc/codes"
)

// config is what this package reads of the service config; gRPC reads the rest.
type config struct {
	RetryThrottling struct{ MaxTokens, TokenRatio float64 }
	MethodConfig    []methodConfig
}

type methodConfig struct {
	Name        []struct{ Service, Method string }
	Timeout     duration
	RetryPolicy policy
}

type policy struct {
	MaxAttempts                int
	InitialBackoff, MaxBackoff duration
	BackoffMultiplier          float64
	RetryableStatusCodes       []codes.Code
}

// duration is a duration as protobuf's JSON writes it, such as "30s".
type duration time.Duration

func (d *duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = duration(parsed)
	return err
}

// mustParse panics on a service config that is broken: it is part of this package.
func mustParse(text string) config {
	var c config
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		panic(fmt.Sprintf("service config: %v", err))
	}
	return c
}

// methods returns the configuration of each method by its full name.
func (c config) methods() map[string]methodConfig {
	methods := map[string]methodConfig{}
	for _, method := range c.MethodConfig {
		for _, name := range method.Name {
			methods["/"+name.Service+"/"+name.Method] = method
		}
	}
	return methods
}

// lists reports whether calls that end with the code may be repeated.
func (p policy) lists(code codes.Code) bool { return slices.Contains(p.RetryableStatusCodes, code) }

// pause returns the time between an attempt and the next one. It is at least what the gateway asks for, and up to a fifth
// more, so that clients that were rejected together do not come back together.
func (p policy) pause(attempt int, retryAfter time.Duration) time.Duration {
	shortest := float64(retryAfter)
	if retryAfter == 0 {
		grown := float64(p.InitialBackoff) * math.Pow(p.BackoffMultiplier, float64(attempt-1))
		shortest = min(grown, float64(p.MaxBackoff))
	}
	return time.Duration(shortest * (1 + rand.Float64()/5)) //nolint:gosec // not a secret
}
