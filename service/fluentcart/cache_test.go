package fluentcart_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// Caches say in headers that a response comes from them (F29). Most also say when it does not.
func TestReadThatACacheHasMarkedIsNotUsed(t *testing.T) {
	for _, row := range []struct {
		header, value string
		cached        bool
	}{
		{"Age", "1", true},
		{"Age", "99999999999999999999999", true},
		{"Age", "0", false},
		{"Age", "-1", false},
		{"Age", "soon", false},
		{"X-Cache", "HIT", true},
		{"X-Cache", "Hit from cloudfront", true},
		{"X-Cache", "RefreshHit from cloudfront", true},
		{"X-Cache", "Miss from cloudfront", false},
		{"X-Cache", "Error from cloudfront", false},
		{"X-Cache", "MISS, HIT", true},
		{"X-Cache", "HIT, MISS", true},
		{"X-Cache", "MISS, MISS", false},
		{"X-Cache", "TCP_MEM_HIT from a1.example (AkamaiGHost/9.1) (-)", true},
		{"X-Cache", "TCP_REFRESH_MISS from a1.example", false},
		{"X-Cache", "CONFIG_NOCACHE, TCP_MISS", false},
		{"X-Cache", "MISS from hit.cache.example", false},
		{"X-Cache", "HIT: 3", true},
		{"X-Cache", "hit for pass", false},
		{"X-Cache", "HIT-FOR-MISS", false},
		{"X-Cache", "whitelisted", false},
		{"X-Cache", "", false},
		{"X-Cache-Lookup", "HIT from squid:3128", false},
		{"X-Cache", "cached", true},
		{"X-Cache", "not cached", false},
		{"X-Hcdn-Cache-Status", "HIT", true},
		{"X-Hcdn-Cache-Status", "DYNAMIC", false},
		{"X-Runcloud-Cache", "HIT", true},
		{"X-Grid-SRCache-Fetch", "HIT", true},
		{"X-GoCache-CacheStatus", "HIT", true},
		{"Fastcgi-Cache", "HIT", true},
		{"X-WP-SPC-Disk-Cache", "HIT", true},
		{"X-WP-Cached-Call", "served-cache", true},
		{"X-LiteSpeed-Cache-Control", "public, max-age=60, stale", false},
		{"X-Cache-Key", "/hit", false},
		{"X-Cache-Tags", "hit", false},
		{"X-Object-Cache", "HIT", false},
		{"X-Cacheable", "YES", false},
		{"X-Cache-Handler", "wp", false},
		{"X-Cache-" + strings.Repeat("x", 40), "HIT", false},
		{"X-Cache-Hits", "0, 2", true},
		{"X-Cache-Hits", "0", false},
		{"X-Cache-Status", "UPDATING", true},
		{"X-Cache-Status", "EXPIRED", false},
		{"X-Cache-Status", "BYPASS", false},
		{"CF-Cache-Status", "REVALIDATED", true},
		{"CF-Cache-Status", "STALE", true},
		{"CF-Cache-Status", "DYNAMIC", false},
		{"CF-Cache-Status", "NONE/UNKNOWN", false},
		{"X-LiteSpeed-Cache", "hit,private", true},
		{"X-LiteSpeed-Cache", "miss", false},
		{"X-LiteSpeed-Cache-Control", "public,max-age=604800", false},
		{"X-Proxy-Cache", "HIT", true},
		{"X-Varnish", "32770 5", true},
		{"X-Varnish", "32770", false},
		{"X-Kinsta-Cache", "HIT", true},
		{"X-SG-Cache", "HIT", true},
		{"X-FastCGI-Cache", "stale", true},
		{"X-Nginx-Cache", "HIT", true},
		{"X-Drupal-Cache", "HIT", true},
		{"x-vercel-cache", "STALE", true},
		{"X-Rack-Cache", "stale, valid, store", true},
		{"X-Rack-Cache", "miss, store", false},
		{"x-ac", "3.ams _atomic_bur HIT", true},
		{"x-ac", "3.ams _atomic_bur BYPASS", false},
		{"X-nananana", "Batcache-Hit", true},
		{"X-nananana", "Batcache-Set", false},
		{"Cache-Status", "ExampleCache; hit; ttl=376", true},
		{"Cache-Status", `"Netlify Durable"; fwd=miss; stored, "Netlify Edge"; hit`, true},
		{"Cache-Status", `Nginx; fwd=miss; detail="; hit"`, false},
		{"Cache-Status", "ExampleCache; hit=?0; fwd=uri-miss", false},
		{"Cache-Status", "HIT", true},
		{"Cache-Control", "public, stale-while-revalidate=30", false},
	} {
		t.Run(row.header+": "+row.value, func(t *testing.T) {
			requests := 0
			client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
				requests++
				w.Header().Set(row.header, row.value)
				respondNormally(w, r)
			})
			err := get(t.Context(), client)
			if !row.cached {
				if err != nil || requests != 1 {
					t.Errorf("got %v after %d requests", err, requests)
				}
			} else if cached, ok := errors.AsType[*fluentcart.CacheError](err); !ok || cached.Mark != http.CanonicalHeaderKey(row.header) || failure(t, err).Kind != fluentcart.BadAnswer || requests != 2 {
				t.Errorf("got %v after %d requests", err, requests)
			}
			if err := put(t.Context(), client, nil); err != nil {
				t.Errorf("the write: %v", err)
			}
		})
	}
}

// An error in the store's own words that a cache has kept may have been true earlier. A page is not the store's word anyway.
func TestErrorThatACacheHasKeptIsNotTheStores(t *testing.T) {
	for _, row := range []struct {
		name   string
		status int
		body   string
		cached bool
	}{
		{"no such customer", 404, `{"code":"fluent_cart_entity_not_found","message":"x"}`, true},
		{"credentials refused", 401, `{"code":"rest_forbidden","message":"x","data":{"status":401}}`, true},
		{"maintenance", 503, `{"code":"wp_die","message":"x","data":{"status":503}}`, true},
		{"a redirect", 301, ``, false},
		{"a page", 403, `<html>blocked</html>`, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			client := newClient(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Age", "9")
				respond(row.status, row.body)(w, r)
			})
			if _, cached := errors.AsType[*fluentcart.CacheError](get(t.Context(), client)); cached != row.cached {
				t.Errorf("counts as cached: %t", cached)
			}
			if client.CredentialsRefused(t.Context()) && row.cached {
				t.Error("the credentials count as refused")
			}
		})
	}
}

func TestReadAfterACachedOneIsUsed(t *testing.T) {
	client := newClient(t, inSequence(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Cache", "HIT")
		respondNormally(w, r)
	}, respondNormally))
	if err := get(t.Context(), client); err != nil {
		t.Error(err)
	}
}

// No two reads have the same address: not those of one client, of two clients, or of a read that is sent again.
func TestEachReadHasAnAddressOfItsOwn(t *testing.T) {
	var mu sync.Mutex
	seen := map[string]bool{}
	count := 0
	handler := func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if r.Method == http.MethodPut {
			if r.URL.RawQuery != "" {
				t.Errorf("a write to %s", r.URL)
			}
			respondNormally(w, r)
			return
		}
		count++
		seen[r.RequestURI] = true
		if r.URL.Query().Get("params[customer_only]") != "yes" || r.URL.Query().Get("_fcg") == "" || r.Header.Get("Cache-Control") != "no-cache" {
			t.Errorf("a read of %s, %v", r.URL, r.Header)
		}
		if count%6 == 2 {
			badGateway(w, r)
			return
		}
		respondNormally(w, r)
	}
	for range 2 {
		client := newClient(t, handler)
		for range 5 {
			if err := get(t.Context(), client); err != nil {
				t.Error(err)
			}
		}
		if err := put(t.Context(), client, nil); err != nil {
			t.Error(err)
		}
	}
	if len(seen) != count || count < 12 {
		t.Errorf("%d addresses in %d reads", len(seen), count)
	}
}

// columnsAt are the columns of a customer with a city and the time of the last change, which may be empty.
func columnsAt(city, updatedAt string) string {
	columns := strings.Replace(annsColumns, "Paris", city, 1)
	if updatedAt != "" {
		columns += `,"updated_at":"` + updatedAt + `"`
	}
	return columns
}

// A read that is older than what was seen before can only come from a cache, also if the cache does not say so.
func TestReadThatIsOlderThanWhatWasSeenIsNotUsed(t *testing.T) {
	const (
		old        = "1999-06-10T09:15:00+00:00"
		t1, t2, t3 = "1999-12-31T23:59:58+00:00", "1999-12-31T23:59:59+00:00", "2000-01-01T00:00:00+00:00" // the test's clock begins with 2000
	)
	type step struct{ method, city, updatedAt string }
	for _, row := range []struct {
		name  string
		steps []step
		fails bool // the last step
	}{
		{"a read from before the write", []step{{"GET", "A", t1}, {"PUT", "B", t2}, {"GET", "A", t1}}, true},
		{"a read from before another read", []step{{"GET", "A", t2}, {"GET", "A", t1}}, true},
		{"a read from before the write, in the same second", []step{{"GET", "A", t1}, {"PUT", "B", t1}, {"GET", "A", t1}}, true},
		{"a read from before a write that did not show its time", []step{{"GET", "A", t1}, {"PUT", "B", ""}, {"GET", "A", t1}}, true},
		{"a read of what the write stored", []step{{"GET", "A", t1}, {"PUT", "B", t1}, {"GET", "B", t1}}, false},
		{"a write that was seen before it was read", []step{{"PUT", "B", t2}, {"GET", "A", t1}}, true},
		{"a second read of the same", []step{{"GET", "A", t1}, {"GET", "A", t1}}, false},
		{"a value that was set back by another write", []step{{"GET", "A", t1}, {"PUT", "B", t1}, {"PUT", "A", t1}, {"GET", "A", t1}}, false},
		{"the value in between, after that", []step{{"GET", "A", t1}, {"PUT", "B", t1}, {"PUT", "A", t1}, {"GET", "B", t1}}, true},
		{"a value that was set back past the gateway", []step{{"GET", "A", t1}, {"PUT", "B", t2}, {"GET", "A", t3}}, false},
		{"another change past the gateway in the same second", []step{{"GET", "A", t1}, {"PUT", "B", t1}, {"GET", "C", t1}}, false},
		{"a write that changed nothing", []step{{"GET", "A", t1}, {"PUT", "A", t1}, {"GET", "A", t1}}, false},
		{"a write of a store whose clock was set back", []step{{"GET", "A", t3}, {"PUT", "B", t1}, {"GET", "B", t1}}, false},
		{"an upstream that shows the same customer for ever", []step{{"GET", "A", old}, {"PUT", "B", old}, {"GET", "A", old}}, false},
		{"customers without a time", []step{{"GET", "A", ""}, {"GET", "B", ""}, {"GET", "A", ""}}, false},
		{"a customer without a time after one with it", []step{{"GET", "A", t2}, {"GET", "A", ""}}, false},
		{"a write that shows its time in another time zone", []step{{"GET", "A", t1}, {"PUT", "B", "2000-01-01T02:00:00+00:00"}, {"GET", "B", t2}}, false},
		{"a read from before such a write", []step{{"GET", "A", t1}, {"PUT", "B", "2000-01-01T02:00:00+00:00"}, {"GET", "A", t1}}, true},
		{"a read from before a write of a store whose clock is ahead", []step{
			{"GET", "A", "2000-01-01T02:00:00+00:00"},
			{"PUT", "B", "2000-01-01T02:00:01+00:00"},
			{"GET", "B", "2000-01-01T02:00:01+00:00"},
			{"PUT", "C", "2000-01-01T02:00:02+00:00"},
			{"GET", "B", "2000-01-01T02:00:01+00:00"},
		}, true},
		{"a time in the future that was only read", []step{{"GET", "A", "2030-01-01T00:00:00+00:00"}, {"GET", "B", t2}}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store, client := newMemoryStore(t, fluentcart.Config{})
				for i, step := range row.steps {
					store.setHandler(showing(step.city, step.updatedAt))
					call := get
					if step.method == http.MethodPut {
						call = func(ctx context.Context, client *fluentcart.Client) error { return put(ctx, client, nil) }
					}
					err := call(t.Context(), client)
					fails := row.fails && i == len(row.steps)-1
					if cached, ok := errors.AsType[*fluentcart.CacheError](err); ok != fails || ok && cached.Mark != "" || !ok && err != nil {
						t.Errorf("step %d: %v", i, err)
					}
				}
			})
		})
	}
}

// showing is a store that shows a customer with a city and the time of the last change.
func showing(city, updatedAt string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		columns := columnsAt(city, updatedAt)
		_, _ = fmt.Fprintf(w, `{"customer":{%s},"message":"ok","data":{%s}}`, columns, columns)
	}
}

// A customer whose row was restored from a backup can be read again soon, however often it is tried until then.
func TestOlderRowIsUsedAfterTheLifetimeOfAVersion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, client := newMemoryStore(t, fluentcart.Config{})
		store.setHandler(showing("B", "1999-06-10T09:15:01+00:00"))
		if err := put(t.Context(), client, nil); err != nil {
			t.Fatal(err)
		}
		store.setHandler(showing("A", "1999-06-10T09:15:00+00:00"))
		for range 4 {
			advance(time.Minute)
			if _, cached := errors.AsType[*fluentcart.CacheError](get(t.Context(), client)); !cached {
				t.Error("an older row was used")
			}
		}
		advance(time.Minute + time.Second)
		if err := get(t.Context(), client); err != nil {
			t.Error(err)
		}
	})
}

// A read that began before a write ended may show the customer as it was before. No cache is to blame.
func TestReadThatAWriteHasOvertakenIsUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, client := newMemoryStore(t, fluentcart.Config{})
		written := make(chan struct{})
		store.setHandler(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet {
				<-written
				showing("A", "1999-06-10T09:15:00+00:00")(w, r)
				return
			}
			advance(time.Second)
			showing("B", "1999-06-10T09:15:01+00:00")(w, r)
		})
		read := make(chan error)
		go func() { read <- get(t.Context(), client) }()
		synctest.Wait()
		if err := put(t.Context(), client, nil); err != nil {
			t.Error(err)
		}
		close(written)
		if err := <-read; err != nil {
			t.Error(err)
		}
	})
}
