package main

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/fluentcart-gateway/fluentcart-gateway/cmd/fluentcart-gateway/config"
)

// listeners are open ports. All are opened before anything is served, so that a port in use is an error at start.
type listeners struct {
	grpc, http, admin, sandbox net.Listener
}

func listen(ctx context.Context, cfg *config.Config) (*listeners, error) {
	l := &listeners{}
	var faults []error
	open := func(target *net.Listener, flag, addr string) {
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
		if err != nil {
			faults = append(faults, fmt.Errorf("--%s=%s: %w; stop the program that uses the port, or choose a different port (0 chooses a free one)", flag, addr, err))
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

// close closes the open ports. The servers have usually closed theirs before; closing twice does no harm.
func (l *listeners) close() {
	for _, listener := range []net.Listener{l.grpc, l.http, l.admin, l.sandbox} {
		if listener != nil {
			_ = listener.Close()
		}
	}
}
