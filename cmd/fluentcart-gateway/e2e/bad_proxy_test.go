package e2e

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
)

// badResponse is what a proxy responds in place of the gateway.
type badResponse struct {
	status            int // 0 cuts the connection
	contentType, body string
}

var badResponses = map[string]badResponse{
	"a page":                    {http.StatusBadGateway, "text/html", "<html><h1>502 Bad Gateway</h1></html>"},
	"a page and 200":            {http.StatusOK, "text/html", "<html><h1>Please log in</h1></html>"},
	"JSON of its own":           {http.StatusServiceUnavailable, "application/json", `{"message":"no healthy upstream"}`},
	"JSON that is no object":    {http.StatusBadGateway, "application/json", `"bad gateway"`},
	"details of its own":        {http.StatusBadGateway, "application/json", `{"details":[{"@type":"type.googleapis.com/google.rpc.Help"}]}`},
	"an empty body":             {http.StatusGatewayTimeout, "", ""},
	"the end of the connection": {},
}

// badProxy is a proxy in front of the JSON gateway. It forwards all requests, until it has a response; then it responds with
// that to customer 3.
type badProxy struct {
	url      string
	response atomic.Pointer[badResponse]
}

func newBadProxy(t testing.TB, gateway string) *badProxy {
	t.Helper()
	target, err := url.Parse(gateway)
	if err != nil {
		t.Fatal(err)
	}
	p := &badProxy{}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	forward := &httputil.ReverseProxy{Transport: transport, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		response := p.response.Load()
		if response == nil || !strings.HasSuffix(r.URL.Path, "/3") {
			forward.ServeHTTP(w, r)
			return
		}
		if response.status == 0 {
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("Content-Type", response.contentType)
		w.WriteHeader(response.status)
		_, _ = w.Write([]byte(response.body)) // a caller that has left needs none
	}))
	t.Cleanup(server.Close)
	p.url = server.URL
	return p
}
