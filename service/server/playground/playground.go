// Package playground serves the OpenAPI document of the HTTP/JSON gateway, and a page on which its calls can be tried:
// Swagger UI, and below it a description of fields and errors.
package playground

import (
	"embed"
	"net/http"

	"github.com/swaggest/swgui/v5emb"

	"github.com/fluentcart-gateway/fluentcart-gateway/gen/openapi"
)

// The paths that people open.
const (
	PagePath     = "/docs"
	DocumentPath = "/openapi.json"
)

//go:embed page
var page embed.FS

// contentSecurityPolicy lets the page load and call its own origin, and nothing else. One directive is weaker than that:
//
//   - img-src allows data:, because Swagger UI's style sheet has its arrows and icons as data: URLs. An image cannot run a
//     script, and none is loaded from another host.
//
// Swagger UI sets styles by its scripts, which style-src does not restrict, so that no 'unsafe-inline' is needed.
const contentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// viewerFiles are the files of Swagger UI that the page uses.
var viewerFiles = [...]string{"swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"}

// New returns the pages. They are public: they hold the contract, and nothing of a store or of the gateway's configuration.
func New() *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle("GET "+DocumentPath, protected(file("application/json", openapi.V3)))
	mux.Handle("GET "+PagePath, protected(pageFile("index.html", "text/html; charset=utf-8")))
	mux.Handle("GET "+PagePath+"/{$}", protected(http.RedirectHandler(PagePath, http.StatusMovedPermanently)))
	mux.Handle("GET "+PagePath+"/playground.js", protected(pageFile("playground.js", "text/javascript; charset=utf-8")))
	mux.Handle("GET "+PagePath+"/playground.css", protected(pageFile("playground.css", "text/css; charset=utf-8")))
	viewer := protected(v5emb.New("", "", PagePath+"/"))
	for _, name := range viewerFiles {
		mux.Handle("GET "+PagePath+"/"+name, viewer)
	}
	return mux
}

func pageFile(name, contentType string) http.Handler {
	content, err := page.ReadFile("page/" + name)
	if err != nil { // it is embedded
		panic(err)
	}
	return file(contentType, content)
}

func file(contentType string, content []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write(content) // it fails for a browser that is gone
	})
}

// protected sets the headers that all pages have.
func protected(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", contentSecurityPolicy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cache-Control", "no-cache") // a new gateway has new pages
		if r.ContentLength != 0 {
			header.Set("Connection", "close") // instead of reading a body
		}
		next.ServeHTTP(w, r)
	})
}
