package main

import (
	"context"
	"errors"
	"fmt"
	"net"
)

// listeners are open ports. Opening them all before anything is served makes a port in use an error at start.
type listeners struct {
	grpc, http, admin, sandbox net.Listener
}

func listen(ctx context.Context, cfg *serveConfig) (*listeners, error) {
	l := &listeners{}
	var faults []error
	open := func(target *net.Listener, flag, addr string) {
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
		if err != nil {
			faults = append(faults, fmt.Errorf("--%s=%s: %w; stop what uses the port, or choose another (0 takes a free one)", flag, addr, err))
			return
		}
		*target = listener
	}
	open(&l.grpc, "grpc-addr", cfg.GRPCAddr)
	open(&l.http, "http-addr", cfg.HTTPAddr)
	open(&l.admin, "admin-addr", cfg.AdminAddr)
	if cfg.Sandbox {
		open(&l.sandbox, "sandbox-addr", cfg.SandboxAddr)
	}
	if len(faults) > 0 {
		l.close()
		return nil, &configError{errors.Join(faults...)}
	}
	return l, nil
}

// close closes what is open; closing twice does no harm.
func (l *listeners) close() {
	for _, listener := range []net.Listener{l.grpc, l.http, l.admin, l.sandbox} {
		if listener != nil {
			_ = listener.Close() // the servers have closed theirs before
		}
	}
}
