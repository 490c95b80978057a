package main

import (
	"context"
	"log/slog"

	"github.com/fluentcart-gateway/fluentcart-gateway/cmd/fluentcart-gateway/config"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/auth"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// storeConfig is the configuration of the client of the store at url.
func storeConfig(cfg *config.Loaded, url string, metrics storeMetrics, logger *slog.Logger) fluentcart.Config {
	transport := fluentcart.NewTransport()
	if cfg.StoreCA != nil {
		transport.Roots = cfg.StoreCA.Get
	}
	store := fluentcart.Config{
		BaseURL:    url,
		GetTimeout: cfg.GetTimeout,
		PutTimeout: cfg.PutTimeout,
		PutAsPost:  cfg.StorePutAsPost,
		UserAgent:  "fluentcart-gateway/" + version(),
		Rate:       cfg.StoreRate,
		Transport:  transport,
		Ended:      metrics.ended,
		Retrying:   metrics.retrying,
		BreakerChanged: func(open bool) {
			if open {
				logger.Warn("the store fails: requests are suspended, except for one probe a second")
			} else {
				logger.Info("the store works again: requests are resumed")
			}
		},
	}
	switch {
	case cfg.CallerAuth == config.AuthStore:
		store.Credentials = callerCredentials
	case cfg.Sandbox:
		store.Credentials = fluentcart.As(sandbox.AdminUsername, sandbox.AdminPassword)
	default:
		store.Credentials = func(context.Context) fluentcart.Credentials {
			return fluentcart.Credentials{Username: cfg.StoreUsername, Password: cfg.StorePassword.Get()}
		}
		store.Renew = func() { cfg.StorePassword.Reload() }
	}
	return store
}

// callerCredentials are the credentials of the caller of the current call.
func callerCredentials(ctx context.Context) fluentcart.Credentials {
	if caller := auth.FromContext(ctx); caller != nil && caller.Store != nil {
		return fluentcart.Credentials{Username: caller.Store.Username, Password: caller.Store.Password}
	}
	return fluentcart.Credentials{}
}
