package main

import (
	"context"
	"fmt"
	"time"
)

// update is one call: it writes notes that no other call of any run writes, so that the store is written each time.
type update struct {
	number   int
	customer int64
	notes    string
}

// caller makes calls in one of the modes.
type caller struct {
	// call makes one call. It returns how the call ended, and the message of an error.
	call  func(context.Context, update) (outcome, string)
	close func()
	extra time.Duration // how long after its deadline a call may still be answered
}

func newCaller(cfg config, addr string) (*caller, error) {
	encryption, err := cfg.tlsConfig()
	if err != nil {
		return nil, err
	}
	authorization, err := cfg.authorization()
	if err != nil {
		return nil, err
	}
	switch cfg.mode {
	case modeHTTP:
		return newHTTPCaller(cfg, addr, encryption, authorization), nil
	case modeGrpcurl:
		return newGrpcurlCaller(cfg, addr, authorization)
	case modeGRPC:
		return newGRPCCaller(addr, cfg.parallel, encryption, authorization)
	}
	return nil, fmt.Errorf("no mode %q", cfg.mode)
}
