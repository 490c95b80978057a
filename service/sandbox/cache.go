package sandbox

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// CacheConfig says how a cache in front of a store behaves (F29). The zero CacheConfig keeps each URL's first response for
// good, whatever the requests say, and marks nothing: the worst one that was reported.
type CacheConfig struct {
	// PathOnly leaves the query out of the key. All customers of a store with plain permalinks then share one entry.
	PathOnly bool
	// HonorNoCache passes on requests with Cache-Control: no-cache, no-store or max-age=0, and keeps their responses.
	HonorNoCache bool
	// Lifetime is how long a response is served; 0 is for good.
	Lifetime time.Duration
	// Age adds the header Age to hits: the seconds since the response was kept.
	Age bool
	// HitHeader and MissHeader are added to the responses to reads, such as X-Cache: HIT and X-Cache: MISS.
	HitHeader, MissHeader http.Header
}

// Cache is a cache in front of a handler. It keeps the responses to GET with status 200, for all callers, and does not drop
// them when a write passes. It is safe for concurrent use.
type Cache struct {
	config CacheConfig
	next   http.Handler

	mu   sync.Mutex // guards kept and hits
	kept map[string]keptResponse
	hits int
}

type keptResponse struct {
	*bufferedResponse
	at time.Time
}

var _ http.Handler = (*Cache)(nil)

// NewCache returns an empty cache in front of next.
func NewCache(next http.Handler, cfg CacheConfig) *Cache {
	return &Cache{config: cfg, next: next, kept: map[string]keptResponse{}}
}

// Hits returns how many requests were answered from the cache.
func (c *Cache) Hits() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hits
}

func (c *Cache) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		c.next.ServeHTTP(w, r)
		return
	}
	key := r.Host + r.URL.RequestURI()
	if c.config.PathOnly {
		key = r.Host + r.URL.Path
	}
	if hit, ok := c.lookUp(key, r); ok {
		addHeader(w.Header(), c.config.HitHeader)
		if c.config.Age {
			w.Header().Set("Age", strconv.Itoa(int(time.Since(hit.at).Seconds())))
		}
		hit.send(w)
		return
	}
	p := newBufferedResponse()
	c.next.ServeHTTP(p, r)
	if p.status == http.StatusOK {
		c.mu.Lock()
		c.kept[key] = keptResponse{p, time.Now()}
		c.mu.Unlock()
	}
	addHeader(w.Header(), c.config.MissHeader)
	p.send(w)
}

func (c *Cache) lookUp(key string, r *http.Request) (keptResponse, bool) {
	if c.config.HonorNoCache && asksForFresh(r) {
		return keptResponse{}, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	hit, ok := c.kept[key]
	if !ok || c.config.Lifetime > 0 && time.Since(hit.at) >= c.config.Lifetime {
		return keptResponse{}, false
	}
	c.hits++
	return hit, true
}

// asksForFresh reports whether the request's Cache-Control asks for a response that is not from a cache.
func asksForFresh(r *http.Request) bool {
	for directive := range strings.SplitSeq(strings.Join(r.Header.Values("Cache-Control"), ","), ",") {
		switch strings.ToLower(strings.TrimSpace(directive)) {
		case "no-cache", "no-store", "max-age=0":
			return true
		}
	}
	return false
}
