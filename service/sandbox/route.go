package sandbox

import (
	"net/http"
	"strings"
)

const (
	prettyPrefix   = "/wp-json"
	customersRoute = "/fluent-cart/v2/customers/"
)

// ServeHTTP answers as the store's web server does.
func (s *Store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id, ok := customerID(r)
	isRead := r.Method == http.MethodGet || r.Method == http.MethodHead
	if !ok || (!isRead && r.Method != http.MethodPut) {
		// Another method is no route either, and not a 405 (F18).
		noRoute.write(w)
		return
	}

	if refusal, ok := s.authorize(r); !ok {
		refusal.write(w)
		return
	}
	if isRead {
		s.read(w, r, id)
		return
	}
	s.update(w, r, id)
}

// customerID finds the id in the path, or where a store with plain permalinks has it: /?rest_route=/fluent-cart/….
func customerID(r *http.Request) (int64, bool) {
	route, ok := strings.CutPrefix(r.URL.Path, prettyPrefix)
	if !ok && (r.URL.Path == "/" || r.URL.Path == "/index.php") && r.URL.RawQuery != "" {
		route = r.URL.Query().Get("rest_route")
	}
	segment, ok := strings.CutPrefix(strings.TrimSuffix(route, "/"), customersRoute)
	if !ok || segment == "" || strings.Contains(segment, "/") {
		return 0, false
	}
	// Any segment is an id, cast as PHP casts: "12abc" is customer 12 (F17), "abc" is 0.
	return castInt(segment), true
}
