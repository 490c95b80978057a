package sandbox

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// loopback is a store behind a real connection.
type loopback struct {
	store *Store
	url   string
	// transport makes a connection for each request: it sends a request a second time by itself where a connection
	// that it kept breaks.
	transport *http.Transport
}

func listen(t testing.TB, cfg Config) loopback {
	t.Helper()
	store := New(cfg)
	server := httptest.NewServer(store)
	transport := &http.Transport{DisableKeepAlives: true}
	t.Cleanup(server.Close)
	t.Cleanup(store.Close) // before the server's: that waits for what the store keeps waiting
	return loopback{store, server.URL, transport}
}

// move asks for another city of customer 1, and leaves her else as she is.
func (l loopback) move(ctx context.Context, t testing.TB, city string) (*http.Response, error) {
	t.Helper()
	body, err := json.Marshal(ann(fields{"city": city}))
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPut, l.url+customerPath(1), strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.SetBasicAuth(AdminUsername, AdminPassword)
	return l.transport.RoundTrip(r)
}

func wantCity(t testing.TB, store *Store, want string) {
	t.Helper()
	if got := *rowOf(t, store, 1).City; got != want {
		t.Errorf("the row says %q, want %q", got, want)
	}
}

// always is a Config.Fail under which every request fails alike.
func always(f Failure) func(*http.Request) *Failure {
	return func(*http.Request) *Failure { return &f }
}
