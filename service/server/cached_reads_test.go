package server_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
)

// cache is a cache in front of a store that keeps the first response to each read for good, whatever the headers of the
// request say.
type cache struct {
	next         http.Handler
	ignoresQuery bool
	mark         string // the value of X-Cache of a kept response

	mu   sync.Mutex
	kept map[string]*httptest.ResponseRecorder
}

func (c *cache) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		c.next.ServeHTTP(w, r)
		return
	}
	key := r.URL.String()
	if c.ignoresQuery {
		key = r.URL.Path
	}
	c.mu.Lock()
	response, hit := c.kept[key]
	if !hit {
		response = httptest.NewRecorder()
		c.next.ServeHTTP(response, r)
		c.kept[key] = response
	}
	c.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if hit && c.mark != "" {
		w.Header().Set("X-Cache", c.mark)
	}
	w.WriteHeader(response.Code)
	_, _ = io.Copy(w, strings.NewReader(response.Body.String()))
}

// cityAndNotes sends two updates of different fields, one after the other, and returns their error texts.
func (g *gateway) cityAndNotes(t testing.TB, transport string, round int) (city, notes string) {
	city, notes = fmt.Sprintf("City %d", round), fmt.Sprintf("notes %d", round)
	if transport == "gRPC" {
		for _, change := range []*customerv1.Customer{{City: proto.String(city)}, {Notes: proto.String(notes)}} {
			_, err := g.grpc.UpdateCustomer(t.Context(), &customerv1.UpdateCustomerRequest{CustomerId: 1, Customer: change})
			g.checkCachedRead(t, err == nil, status.Convert(err).Message())
		}
		return city, notes
	}
	for _, change := range []string{`{"city":"` + city + `"}`, `{"notes":"` + notes + `"}`} {
		request, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodPatch, g.url+"/v1/customers/1", strings.NewReader(change))
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		_ = response.Body.Close()
		g.checkCachedRead(t, response.StatusCode == http.StatusOK, string(body))
	}
	return city, notes
}

// checkCachedRead checks that a call either succeeded or blames the cache.
func (g *gateway) checkCachedRead(t testing.TB, ok bool, message string) {
	t.Helper()
	if !ok && !strings.Contains(message, "a cache in front of the store answered the read") {
		t.Errorf("got %s", message)
	}
}

// Behind a cache, a read that is merged must not be one from before the last update (F29): the second update of a pair would
// revert the first. Either the read passes the cache, or the update is refused and the cache blamed.
func TestUpdatesBehindACacheNeverRevert(t *testing.T) {
	for _, row := range []struct {
		name         string
		ignoresQuery bool
		mark         string
		passes       bool // the reads pass the cache
	}{
		{"that knows the whole address", false, "HIT", true},
		{"that ignores the query", true, "HIT", false},
		{"that ignores the query and does not mark what it keeps", true, "", false},
	} {
		for _, transport := range []string{"gRPC", "HTTP"} {
			t.Run(row.name+", "+transport, func(t *testing.T) {
				g := start(t, options{wrap: func(next http.Handler) http.Handler {
					return &cache{next: next, ignoresQuery: row.ignoresQuery, mark: row.mark, kept: map[string]*httptest.ResponseRecorder{}}
				}})
				stored := map[string]string{"city": "Paris", "notes": "prefers email"}
				for round := range 20 {
					before, _ := g.store.Row(1)
					city, notes := g.cityAndNotes(t, transport, round)
					after, _ := g.store.Row(1)
					if got := valueOfText(after.City); got == city {
						stored["city"] = city
					} else if got != stored["city"] {
						t.Errorf("round %d: the city %q was reverted to %q", round, stored["city"], got)
					}
					if after.Notes == notes {
						stored["notes"] = notes
					} else if after.Notes != stored["notes"] {
						t.Errorf("round %d: the notes %q were reverted to %q", round, before.Notes, after.Notes)
					}
					if row.passes && (stored["city"] != city || stored["notes"] != notes) {
						t.Errorf("round %d: an update failed", round)
					}
				}
			})
		}
	}
}

func valueOfText(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// A write whose response is lost is verified by reads that no cache answers.
func TestWriteIsVerifiedBehindACache(t *testing.T) {
	g := start(t, options{wrap: func(next http.Handler) http.Handler {
		lossy := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet {
				next.ServeHTTP(w, r)
				return
			}
			next.ServeHTTP(httptest.NewRecorder(), r)
			w.WriteHeader(http.StatusBadGateway)
		})
		return &cache{next: lossy, mark: "HIT", kept: map[string]*httptest.ResponseRecorder{}}
	}})
	for _, city := range []string{"Lyon", "Bonn"} {
		_, err := g.grpc.UpdateCustomer(t.Context(), &customerv1.UpdateCustomerRequest{CustomerId: 1, Customer: &customerv1.Customer{City: proto.String(city)}})
		if err != nil {
			t.Errorf("%s: %v", city, err)
		}
	}
}
