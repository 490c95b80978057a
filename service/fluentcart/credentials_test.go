package fluentcart_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/secret"
)

// lockedStore is a store that accepts one password, and counts the requests that it accepts and refuses.
type lockedStore struct {
	password      string
	accepted      atomic.Int32
	refused       atomic.Int32
	refusedMethod atomic.Value
}

func (l *lockedStore) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if _, password, _ := r.BasicAuth(); password != l.password {
		l.refused.Add(1)
		l.refusedMethod.Store(r.Method)
		respond(http.StatusUnauthorized, `{"code":"rest_forbidden","message":"Sorry, you are not allowed to do that."}`)(w, r)
		return
	}
	l.accepted.Add(1)
	respondNormally(w, r)
}

// rotating are credentials that are reloaded when the store has refused them.
type rotating struct{ inUse, onDisk string }

func (r *rotating) config() fluentcart.Config {
	return fluentcart.Config{
		Credentials: func(context.Context) fluentcart.Credentials {
			return fluentcart.Credentials{Username: "gateway", Password: secret.New(r.inUse)}
		},
		Renew: func() { r.inUse = r.onDisk },
	}
}

func TestReplacedPasswordIsUsedAfterARefusal(t *testing.T) {
	for method, call := range map[string]func(*fluentcart.Client) error{
		http.MethodGet: func(c *fluentcart.Client) error { return get(t.Context(), c) },
		http.MethodPut: func(c *fluentcart.Client) error { return put(t.Context(), c, nil) },
	} {
		t.Run(method, func(t *testing.T) {
			store := &lockedStore{password: "new"}
			password := &rotating{inUse: "old", onDisk: "new"}
			server := httptest.NewServer(store)
			t.Cleanup(server.Close)
			cfg := password.config()
			cfg.BaseURL = server.URL
			if err := call(newClientOf(t, cfg)); err != nil {
				t.Fatal(err)
			}
			if store.refused.Load() != 1 || store.accepted.Load() != 1 || store.refusedMethod.Load() != method {
				t.Errorf("the store refused %d and accepted %d, want 1 and 1", store.refused.Load(), store.accepted.Load())
			}
		})
	}
}

func TestWrongPasswordIsTriedOnce(t *testing.T) {
	for name, password := range map[string]*rotating{
		"the same as before": {inUse: "old", onDisk: "old"},
		"another wrong one":  {inUse: "old", onDisk: "older"},
	} {
		t.Run(name, func(t *testing.T) {
			store := &lockedStore{password: "new"}
			server := httptest.NewServer(store)
			t.Cleanup(server.Close)
			cfg, tries := password.config(), int32(1)
			if password.inUse != password.onDisk {
				tries = 2
			}
			cfg.BaseURL = server.URL
			if failed := failure(t, get(t.Context(), newClientOf(t, cfg))); failed.Kind != fluentcart.Unauthenticated {
				t.Errorf("got %v", failed)
			}
			if got := store.refused.Load(); got != tries {
				t.Errorf("%d requests, want %d", got, tries)
			}
		})
	}
}

func TestCredentialsCountAsRefusedUntilTheStoreAcceptsThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		password := &rotating{inUse: "old", onDisk: "old"}
		store, client := newMemoryStore(t, password.config())
		expect := func(after string, refused bool) {
			t.Helper()
			if got := client.CredentialsRefused(t.Context()); got != refused {
				t.Errorf("%s: refused is %v", after, got)
			}
		}
		expect("at first", false)
		for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden} {
			store.setHandler(respond(status, `{"code":"rest_forbidden","message":"Sorry, you are not allowed to do that."}`))
			_ = get(t.Context(), client)
			expect("after a refusal", true)

			store.setHandler(respond(http.StatusInternalServerError, `oops`))
			_ = get(t.Context(), client)
			expect("after a response that does not depend on the credentials", true)

			store.setHandler(respond(http.StatusNotFound, `{"code":"fluent_cart_entity_not_found","message":"Customer not found"}`))
			_ = get(t.Context(), client)
			expect("after a response that needs accepted credentials", false)
		}

		store.setHandler(respond(http.StatusUnauthorized, restForbidden))
		_ = get(t.Context(), client)
		password.inUse = "new"
		expect("with another password", false)
		password.inUse = "old"
		expect("with the refused password again", true)
		<-time.After(30 * time.Second)
		expect("30 seconds later, so that a call tries it again", false)
	})
}
