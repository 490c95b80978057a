package server

import (
	"net/http"
	"net/http/pprof" // it registers itself with http.DefaultServeMux too, which nothing here serves
)

// serveProfiles serves runtime profiles. They show the inside of the process: the names of functions, addresses of
// memory, how much there is of what, and the command line; none of them shows the contents of memory.
func serveProfiles(mux *http.ServeMux) {
	mux.HandleFunc("GET /debug/pprof/", pprof.Index) // and the profiles by name
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
}
