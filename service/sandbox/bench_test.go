package sandbox

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// BenchmarkGetAndPut measures one read and one write that changes the row, in the handler alone; no network is in it.
func BenchmarkGetAndPut(b *testing.B) {
	store := New(Config{})
	bodies := [2]string{
		`{"id":1,"email":"ann@example.com","full_name":"Ann Lee","city":"Paris","notes":"prefers email"}`,
		`{"id":1,"email":"ann@example.com","full_name":"Ann Lee","city":"Lyon","notes":"prefers email"}`,
	}
	request := func(method, body string) {
		r := httptest.NewRequestWithContext(b.Context(), method, routePrefix+"1", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.SetBasicAuth(AdminUsername, AdminPassword)
		w := httptest.NewRecorder()
		store.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			b.Fatalf("%s: %d %s", method, w.Code, w.Body)
		}
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		request(http.MethodGet, "")
		request(http.MethodPut, bodies[i%2])
	}
}
