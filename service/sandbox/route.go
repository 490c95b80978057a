package sandbox

import (
	"net/http"
	"strings"
	"time"
)

const (
	prettyPrefix   = "/wp-json"
	customersRoute = "/fluent-cart/v2/customers/"
)

// ServeHTTP responds as the store's web server does.
func (s *Store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.traffic.enter()
	defer s.traffic.leave()

	s.front.ServeHTTP(w, r)
}

// receive is the store without what stands in front of it.
func (s *Store) receive(w http.ResponseWriter, r *http.Request) {
	received := time.Now()
	if s.workers == nil && s.latency <= 0 && s.fail == nil {
		s.work(w, r, received)
		return
	}
	s.serve(w, r, received)
}

// work does what PHP does with a request.
func (s *Store) work(w http.ResponseWriter, r *http.Request, received time.Time) {
	id, ok := customerID(r)
	if !ok || !isMethod(r) {
		// Another method is a missing route as well, and not a 405 (F18).
		noRoute.write(w)
		return
	}

	if refusal := s.authorize(r); refusal != nil {
		refusal.write(w)
		return
	}
	if isRead(r) {
		s.read(w, r, id)
		return
	}
	s.update(w, r, id, received)
}

// Customer returns the customer that a request reads or updates. It is for [Config].Fail, which gets no other requests.
func Customer(r *http.Request) (id int64, reads bool) {
	id, _ = customerID(r)
	return id, isRead(r)
}

func isRead(r *http.Request) bool {
	m := method(r)
	return m == http.MethodGet || m == http.MethodHead
}

func isMethod(r *http.Request) bool {
	return isRead(r) || method(r) == http.MethodPut
}

// method returns the method that WordPress takes a request for: the parameter _method in the query, else the header
// X-HTTP-Method-Override, else the method of the request. WordPress honors both with any method.
func method(r *http.Request) string {
	if strings.Contains(r.URL.RawQuery, "_method=") {
		if query := r.URL.Query(); query.Has("_method") {
			return strings.ToUpper(query.Get("_method"))
		}
	}
	if override := r.Header.Get("X-HTTP-Method-Override"); override != "" {
		return strings.ToUpper(override)
	}
	return r.Method
}

// customerID returns the id in the path, or in the query of a store with plain permalinks (F31):
// /?rest_route=/fluent-cart/….
func customerID(r *http.Request) (int64, bool) {
	route, ok := strings.CutPrefix(r.URL.Path, prettyPrefix)
	if !ok && (r.URL.Path == "/" || r.URL.Path == "/index.php") && r.URL.RawQuery != "" {
		route = r.URL.Query().Get("rest_route")
	}
	segment, ok := strings.CutPrefix(strings.TrimSuffix(route, "/"), customersRoute)
	if !ok || segment == "" || strings.Contains(segment, "/") {
		return 0, false
	}
	// PHP casts any segment to an id: "12abc" is customer 12 (F17), "abc" is 0.
	return castInt(segment), true
}
