package main

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// loaded is what is loaded: a running gateway, or a gateway and a sandbox store that were started here.
type loaded struct {
	addr  string
	admin string // of a running gateway; may be empty
	store *store // of a gateway that was started here
	close func() // ends what was started here; may be called twice
}

func prepare(ctx context.Context, cfg config, stderr io.Writer) (*loaded, error) {
	if cfg.addr != "" {
		return &loaded{addr: cfg.addr, admin: cfg.admin, close: func() {}}, cfg.check(ctx, ranges(cfg.customers))
	}
	needed := int(min(max(slices.Max(cfg.customers)-firstExtra+1, 0), maxCustomers))
	store, err := startStore(sandbox.Config{Customers: needed, Workers: cfg.storeWorkers, Latency: cfg.storeLatency, Companion: cfg.storeCompanion})
	if err != nil {
		return nil, err
	}
	gateway, err := startGateway(ctx, cfg.gateway, cfg.gatewayFlags, store.url, stderr)
	if err != nil {
		store.close()
		return nil, err
	}
	l := &loaded{addr: gateway.grpc, store: store, close: sync.OnceFunc(func() {
		gateway.stop()
		store.close()
	})}
	if cfg.mode == modeHTTP {
		l.addr = gateway.http
	}
	return l, nil
}

// counts returns the requests that have reached the store so far, or nothing if that is not known.
func (l *loaded) counts(ctx context.Context) (requests, error) {
	switch {
	case l.store != nil:
		return l.store.counts(), nil
	case l.admin != "":
		return readMetrics(ctx, l.admin)
	}
	return nil, nil //nolint:nilnil // as the doc comment says
}

// verify compares the answers with the store, which was started here.
func (l *loaded) verify(s *sender) error {
	return errors.Join(l.store.verify(s.warm.all, s.warmNotes), l.store.verify(s.measured.all, s.notes), l.store.verifyRows())
}
