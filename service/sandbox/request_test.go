package sandbox

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
)

const routePrefix = prettyPrefix + customersRoute

// send makes one request as the administrator.
func send(t testing.TB, store *Store, method, target, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.SetBasicAuth(AdminUsername, AdminPassword)
	w := httptest.NewRecorder()
	store.ServeHTTP(w, r)
	return w
}

// fields are a PUT's body.
type fields map[string]any

func put(t testing.TB, store *Store, id int64, f fields) *httptest.ResponseRecorder {
	t.Helper()
	body, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	return send(t, store, http.MethodPut, customerPath(id), string(body))
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

// ann is a PUT that leaves Ann, customer 1, as the fixture has her, but for what is given.
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
