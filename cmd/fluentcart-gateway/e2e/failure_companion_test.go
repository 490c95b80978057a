package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// companionGone deactivates the companion after an update, and makes another one.
func companionGone(t *testing.T) (*process, func()) {
	store, url := startStore(t, sandbox.Config{Companion: true})
	gateway := startGateway(t, url)
	update(t, gateway.customers, 1, 0) // it waits until the gateway has found the companion
	return gateway, func() {
		store.SetCompanion(false)
		update(t, gateway.customers, 1, 0)
	}
}

// companionMissing makes an update by a gateway that needs the companion.
func companionMissing(t *testing.T) (*process, func()) {
	_, url := startStore(t, sandbox.Config{})
	gateway := startGateway(t, url, "--write-mode=atomic")
	update(t, gateway.customers, 1, 0)
	return gateway, nil
}

// companionRefuses is a companion that does not work on its store.
func companionRefuses(t *testing.T) (*process, func()) {
	store := sandbox.New(sandbox.Config{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/fluentcart-gateway/v1") {
			store.ServeHTTP(w, r)
			return
		}
		_, _ = io.WriteString(w, `{"fluentcart_gateway":1,"version":"1.0.0","ready":false,"refuses":["engine"]}`)
	}))
	t.Cleanup(server.Close)
	t.Cleanup(store.Close)
	gateway := startGateway(t, server.URL)
	update(t, gateway.customers, 1, 0)
	return gateway, nil
}

// companionFails makes one update by the companion while the store fails.
func companionFails(failure sandbox.Failure) provocation {
	return func(t *testing.T) (*process, func()) {
		_, url := startStore(t, sandbox.Config{Companion: true, Fail: func(r *http.Request) *sandbox.Failure {
			if r.Method == http.MethodPost {
				return &failure
			}
			return nil
		}})
		gateway := startGateway(t, url)
		return gateway, func() { update(t, gateway.customers, 1, 0) }
	}
}
