package sandbox

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

// counting is a handler whose responses are numbered.
func counting(status int) http.Handler {
	n := 0
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n++
		w.WriteHeader(status)
		_, _ = w.Write([]byte{'0' + byte(n)})
	})
}

func TestCacheServesWhatItsKeyMatches(t *testing.T) {
	const first, fresh = "1", "2"
	tests := []struct {
		name   string
		config CacheConfig
		target string // of the second request; the first is GET /a?x=1
		header string // Cache-Control of the second request
		want   string
	}{
		{"the same URL is a hit", CacheConfig{}, "/a?x=1", "", first},
		{"the request's header is ignored", CacheConfig{}, "/a?x=1", "no-cache", first},
		{"no-cache is honored", CacheConfig{HonorNoCache: true}, "/a?x=1", "no-cache", fresh},
		{"no-cache is honored in a list", CacheConfig{HonorNoCache: true}, "/a?x=1", "max-age=5, No-Cache", fresh},
		{"max-age=0 is honored", CacheConfig{HonorNoCache: true}, "/a?x=1", "max-age=0", fresh},
		{"another directive asks for nothing", CacheConfig{HonorNoCache: true}, "/a?x=1", "max-age=5", first},
		{"another query is another key", CacheConfig{}, "/a?x=2", "", fresh},
		{"another query is the same key by path", CacheConfig{PathOnly: true}, "/a?x=2", "", first},
		{"no-cache is honored by path", CacheConfig{PathOnly: true, HonorNoCache: true}, "/a?x=2", "no-cache", fresh},
		{"another path is another key", CacheConfig{PathOnly: true}, "/b?x=1", "", fresh},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := NewCache(counting(http.StatusOK), tt.config)
			get(t, c, "/a?x=1", "")
			if got := get(t, c, tt.target, tt.header).Body.String(); got != tt.want {
				t.Errorf("response %s, want %s", got, tt.want)
			}
			if hits := c.Hits(); (hits == 1) != (tt.want == first) {
				t.Errorf("%d hits", hits)
			}
		})
	}
}

func TestCacheMarksHitsAndMisses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewCache(counting(http.StatusOK), CacheConfig{
			Age: true, HitHeader: http.Header{"CF-Cache-Status": {"HIT"}}, MissHeader: http.Header{"CF-Cache-Status": {"MISS"}},
		})
		miss := get(t, c, "/", "").Header()
		time.Sleep(90 * time.Second) //nolint:forbidigo // the bubble's clock jumps
		hit := get(t, c, "/", "").Header()
		if miss.Get("Cf-Cache-Status") != "MISS" || miss.Get("Age") != "" {
			t.Errorf("miss marked as %v", miss)
		}
		if hit.Get("Cf-Cache-Status") != "HIT" || hit.Get("Age") != "90" {
			t.Errorf("hit marked as %v", hit)
		}
	})
}

func TestCacheKeepsResponsesForTheirLifetime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewCache(counting(http.StatusOK), CacheConfig{Lifetime: time.Minute})
		for _, want := range []string{"1", "1", "2"} {
			if got := get(t, c, "/", "").Body.String(); got != want {
				t.Errorf("response %s, want %s", got, want)
			}
			time.Sleep(40 * time.Second) //nolint:forbidigo // as above
		}
	})
}

func TestCacheKeepsSuccessfulReadsOnly(t *testing.T) {
	for _, tt := range []struct {
		name, method string
		status       int
	}{
		{"a refused read", "GET", 404},
		{"a captcha of status 202", "GET", 202},
		{"a write", "PUT", 200},
		{"a write in a POST", "POST", 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := NewCache(counting(tt.status), CacheConfig{})
			for _, want := range []string{"1", "2"} {
				w := httptest.NewRecorder()
				c.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), tt.method, "/", nil))
				if w.Code != tt.status || w.Body.String() != want {
					t.Errorf("response %d %s, want %d %s", w.Code, w.Body, tt.status, want)
				}
			}
		})
	}
}

func TestCacheInFrontOfTheStoreServesOldRows(t *testing.T) {
	store := New(Config{Cache: &CacheConfig{}})
	old := send(t, store, http.MethodGet, customerPath(1), "").Body.String()
	wantStatus(t, put(t, store, 1, ann(fields{"city": "Lyon"})), http.StatusOK)
	if got := send(t, store, http.MethodGet, customerPath(1), "").Body.String(); got != old {
		t.Errorf("read %s, want the response from before the write (F29)", got)
	}
}

func get(t testing.TB, h http.Handler, target, cacheControl string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	if cacheControl != "" {
		r.Header.Set("Cache-Control", cacheControl)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}
