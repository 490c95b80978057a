package sandbox

import (
	"net/http"
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
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		wantStatus(b, send(b, store, http.MethodGet, routePrefix+"1", ""), http.StatusOK)
		wantStatus(b, send(b, store, http.MethodPut, routePrefix+"1", bodies[i%2]), http.StatusOK)
	}
}

// BenchmarkAtomicUpdate measures one update by the companion that changes the row, in the handler alone; no network is in it.
func BenchmarkAtomicUpdate(b *testing.B) {
	store := New(Config{Companion: true})
	cities := [2]string{"Lyon", "Paris"}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		body := `{"request_id":"` + attemptID(i) + `","set":{"city":"` + cities[i%2] + `"}}`
		w := send(b, store, http.MethodPost, companionPrefix+"/customers/1", body)
		if !strings.Contains(w.Body.String(), `"result":"applied"`) {
			b.Fatalf("%d %s", w.Code, w.Body)
		}
	}
}
