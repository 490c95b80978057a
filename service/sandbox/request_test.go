package sandbox

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
)

const routePrefix = prettyPrefix + customersRoute

// send sends one request as the administrator.
func send(t testing.TB, store *Store, method, target, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.SetBasicAuth(AdminUsername, AdminPassword)
	w := httptest.NewRecorder()
	store.ServeHTTP(w, r)
	return w
}

// fields is the body of a PUT.
type fields map[string]any

func put(t testing.TB, store *Store, id int64, f fields) *httptest.ResponseRecorder {
	t.Helper()
	return send(t, store, http.MethodPut, customerPath(id), marshal(t, f))
}

// marshal keeps < and > as they are, as most clients do.
func marshal(t testing.TB, f fields) string {
	t.Helper()
	var body strings.Builder
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(f); err != nil {
		t.Fatal(err)
	}
	return body.String()
}

func customerPath(id int64) string {
	return routePrefix + strconv.FormatInt(id, 10)
}

func wantStatus(t testing.TB, w *httptest.ResponseRecorder, status int) {
	t.Helper()
	if w.Code != status {
		t.Fatalf("status %d, want %d: %s", w.Code, status, w.Body)
	}
}

func rowOf(t testing.TB, store *Store, id int64) Row {
	t.Helper()
	row, ok := store.Row(id)
	if !ok {
		t.Fatalf("no customer %d", id)
	}
	return row
}

// ann returns a PUT body that keeps customer 1, Ann, as in the fixture, except for the changed fields.
func ann(changed fields) fields {
	f := fields{
		"id": 1, "email": "ann@example.com", "full_name": "Ann Lee", "status": "active", "notes": "prefers email",
		"country": "FR", "city": "Paris", "state": "IDF", "postcode": "75001", "aov": "8300.00",
	}
	for name, value := range changed {
		f[name] = value
	}
	return f
}

// loopback is a store behind a real connection.
type loopback struct {
	store *Store
	url   string
	// transport opens a connection for each request: on a kept connection that breaks it would retry the request itself.
	transport *http.Transport
}

func listen(t testing.TB, cfg Config) loopback {
	t.Helper()
	store := New(cfg)
	server := httptest.NewServer(store)
	transport := &http.Transport{DisableKeepAlives: true}
	t.Cleanup(server.Close)
	t.Cleanup(store.Close) // before the server: it waits for the requests that the store keeps waiting
	return loopback{store, server.URL, transport}
}

// move sends a PUT that changes only the city of customer 1.
func (l loopback) move(ctx context.Context, t testing.TB, city string) (*http.Response, error) {
	t.Helper()
	body := marshal(t, ann(fields{"city": city}))
	r, err := http.NewRequestWithContext(ctx, http.MethodPut, l.url+customerPath(1), strings.NewReader(body))
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

// always returns a Config.Fail that injects the same fault into every request.
func always(f Failure) func(*http.Request) *Failure {
	return func(*http.Request) *Failure { return &f }
}
