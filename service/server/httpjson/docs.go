package httpjson

import "net/http"

// withDocs serves the paths of docs without authentication. The bounds on connections and headers hold for them too: a
// connection on which nothing but pages is asked for is closed as an unauthenticated one. They pass neither the checks of
// browsers, since each page of any origin may show what is public, nor the log, which has calls.
func withDocs(docs *http.ServeMux, next http.Handler) http.Handler {
	if docs == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, pattern := docs.Handler(r); pattern != "" {
			docs.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}
