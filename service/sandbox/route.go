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
		s.work(w, r, received, Failure{})
		return
	}
	s.serve(w, r, received)
}

// work does what PHP does with a request. Of the failure, only what concerns an update by the companion is used.
func (s *Store) work(w http.ResponseWriter, r *http.Request, received time.Time, f Failure) {
	t := s.target(r)
	switch t.action {
	case noAction:
		// Another method is a missing route as well, and not a 405 (F18).
		noRoute.write(w)
		return
	case showIndex:
		s.index(w, r)
		return
	}
	if unauthorized := s.authorize(r); unauthorized != nil {
		unauthorized.write(w)
		return
	}
	switch t.action {
	case readCustomer:
		s.read(w, r, t.customer)
	case updateCustomer:
		s.update(w, r, t.customer, received)
	case updateAtomically:
		s.postUpdate(w, r, t.customer, received, f)
	case cancelUpdate:
		s.cancel(w, t.requestID)
	}
}

// action is what a request asks of the store.
type action int

const (
	noAction         action = iota // there is no such route, or not with this method
	readCustomer                   // FluentCart's GET
	updateCustomer                 // FluentCart's PUT
	showIndex                      // the companion's GET
	updateAtomically               // the companion's POST
	cancelUpdate                   // the companion's DELETE
)

// target is what a request is for.
type target struct {
	action    action
	customer  int64  // of FluentCart's routes and updateAtomically
	requestID string // of cancelUpdate
}

// isOfCustomer reports whether the request reads a customer, updates one, or cancels an update.
func (t target) isOfCustomer() bool { return t.action != noAction && t.action != showIndex }

// target is targetOf for this store: one without the companion lacks the companion's routes.
func (s *Store) target(r *http.Request) target {
	t := targetOf(r)
	if t.action >= showIndex && !s.companion.Load() {
		return target{}
	}
	return t
}

// targetOf returns what a request is for in a store with the companion.
func targetOf(r *http.Request) target {
	route := strings.TrimSuffix(restRoute(r), "/")
	if segment, ok := strings.CutPrefix(route, customersRoute); ok {
		return customerTarget(segment, method(r))
	}
	if rest, ok := strings.CutPrefix(route, companionRoute); ok {
		return companionTarget(rest, method(r))
	}
	return target{}
}

func customerTarget(segment, method string) target {
	if segment == "" || strings.Contains(segment, "/") {
		return target{}
	}
	// PHP casts any segment to an id: "12abc" is customer 12 (F17), "abc" is 0.
	t := target{customer: castInt(segment)}
	switch method {
	case http.MethodGet, http.MethodHead:
		t.action = readCustomer
	case http.MethodPut:
		t.action = updateCustomer
	}
	return t
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

// restRoute returns the route of WordPress's REST API: what follows the prefix of the path, or, in a store with plain
// permalinks, the query's rest_route (F31): /?rest_route=/fluent-cart/….
func restRoute(r *http.Request) string {
	route, ok := strings.CutPrefix(r.URL.Path, prettyPrefix)
	if ok {
		return route
	}
	if (r.URL.Path == "/" || r.URL.Path == "/index.php") && r.URL.RawQuery != "" {
		return r.URL.Query().Get("rest_route")
	}
	return ""
}
