package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/getkin/kin-openapi/openapi2"
	"github.com/getkin/kin-openapi/openapi2conv"
	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"

	"github.com/fluentcart-gateway/fluentcart-gateway/tools/gatewaytest"
)

const (
	v1Path         = "/v1/customers/"
	fluentCartPath = "/wp-json/fluent-cart/v2/customers/"
)

// exchange is a request to a real gateway, and the response that it must get.
type exchange struct {
	name   string
	method string
	path   string
	body   string
	header map[string]string
	store  func(next http.Handler) http.Handler // if set, is in front of the sandbox store
	token  bool                                 // goes to a gateway that wants a token
	status int
	// malformed requests are wrong on purpose in a way that the document excludes.
	malformed bool
}

// storeAnswers is a store that gives one answer to everything.
func storeAnswers(status int, header map[string]string, body string) func(http.Handler) http.Handler {
	return func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			for name, value := range header {
				w.Header().Set(name, value)
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		})
	}
}

// silentTo is a store that does not answer a method until the gateway gives up.
func silentTo(method string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != method {
				next.ServeHTTP(w, r)
				return
			}
			_, _ = io.Copy(io.Discard, r.Body) // so that the server notices when the gateway leaves
			<-r.Context().Done()
		})
	}
}

var exchanges = []exchange{
	{name: "an update", method: "PUT", path: v1Path + "1", body: `{"city":"Lyon"}`, status: 200},
	{name: "an update with a warning", method: "PATCH", path: v1Path + "1", body: `{"notes":"a <b>bold</b> note"}`, status: 200},
	{name: "an update that clears a field with null", method: "PATCH", path: v1Path + "1", body: `{"state":null}`, status: 200},
	{name: "an update with nothing to change", method: "PUT", path: v1Path + "1", body: `{"city":"Lyon"}`, status: 200},
	{name: "a dry run", method: "PUT", path: v1Path + "1?validate_only=true", body: `{"city":"Nice"}`, status: 200},
	{name: "an update with a mask", method: "PUT", path: v1Path + "1?update_mask=city,state", body: `{"city":"Nice"}`, status: 200},
	{name: "an update of a customer without purchases", method: "PUT", path: v1Path + "4", body: `{"city":"Nice"}`, status: 200},
	{name: "the documented body", method: "PUT", path: fluentCartPath + "1", body: documented, status: 200},
	{name: "the documented body as POST", method: "POST", path: fluentCartPath + "1", body: documented, status: 200},
	{name: "a read", method: "GET", path: v1Path + "1", status: 200},
	{name: "a read of a linked customer without purchases", method: "GET", path: v1Path + "2", status: 200},
	{name: "a read on FluentCart's path", method: "GET", path: fluentCartPath + "2", status: 200},
	{name: "a read of an unchanged customer", method: "GET", path: v1Path + "2", header: map[string]string{"If-None-Match": "*"}, status: 304},
	{name: "a city that is too long", method: "PUT", path: v1Path + "1", body: `{"city":"` + strings.Repeat("a", 46) + `"}`, status: 400, malformed: true},
	{name: "an id that is none", method: "GET", path: v1Path + "0", status: 400, malformed: true},
	{name: "text that the store refuses", method: "PUT", path: v1Path + "1", body: `{"city":"<b>Lyon</b>"}`, status: 400},
	{name: "an e-mail address that WordPress owns", method: "PUT", path: v1Path + "2", body: `{"email":"new@example.com"}`, status: 400},
	{name: "no token", method: "PUT", path: v1Path + "1", body: `{"city":"Lyon"}`, token: true, status: 401},
	{name: "no token for a read", method: "GET", path: v1Path + "1", token: true, status: 401},
	{name: "a page of another origin", method: "PUT", path: v1Path + "1", body: `{"city":"Lyon"}`, header: map[string]string{"Origin": "https://other.example", "Sec-Fetch-Site": "cross-site"}, status: 403},
	{name: "a link to another WordPress user", method: "PUT", path: v1Path + "1", body: `{"user_id":1}`, status: 403},
	{name: "no such customer", method: "PUT", path: v1Path + "999", body: `{"city":"Lyon"}`, status: 404},
	{name: "a read of no such customer", method: "GET", path: fluentCartPath + "999", status: 404},
	{name: "a method that is not served", method: "DELETE", path: v1Path + "1", status: 405, malformed: true},
	{name: "an e-mail address in use", method: "PUT", path: v1Path + "1", body: `{"email":"bob@example.com"}`, status: 409},
	{name: "another version", method: "PUT", path: v1Path + "1", body: `{"city":"Lyon"}`, header: map[string]string{"If-Match": `"old"`}, status: 412},
	{name: "a read of another version", method: "GET", path: v1Path + "1", header: map[string]string{"If-Match": `"old"`}, status: 412},
	{name: "a body that is too large", method: "PUT", path: v1Path + "1", body: `{"notes":"` + strings.Repeat("a", 400<<10) + `"}`, status: 413, malformed: true},
	{name: "a compressed body", method: "PUT", path: v1Path + "1", body: `{"city":"Lyon"}`, header: map[string]string{"Content-Encoding": "gzip"}, status: 415, malformed: true},
	{name: "a read that says it is compressed", method: "GET", path: v1Path + "1", header: map[string]string{"Content-Encoding": "gzip"}, status: 415},
	{name: "a linked user that is gone", method: "PUT", path: v1Path + "3", body: `{"city":"Lyon"}`, status: 423},
	{name: "a store that limits its rate", method: "PUT", path: v1Path + "1", body: `{"city":"Metz"}`, store: storeAnswers(429, map[string]string{"Retry-After": "7"}, ""), status: 429},
	{name: "a store that redirects", method: "GET", path: v1Path + "1", store: storeAnswers(301, map[string]string{"Location": "https://other.example/"}, ""), status: 502},
	{name: "a store without the route", method: "PUT", path: v1Path + "1", body: `{"city":"Metz"}`, store: storeAnswers(404, map[string]string{"Content-Type": "application/json"}, `{"code":"rest_no_route","message":"","data":{"status":404}}`), status: 502},
	{name: "a store in maintenance", method: "GET", path: v1Path + "1", store: storeAnswers(503, map[string]string{"Retry-After": "30"}, ""), status: 503},
	{name: "a store that is silent to a read", method: "GET", path: v1Path + "1", header: map[string]string{"Grpc-Timeout": "200m"}, store: silentTo("GET"), status: 504},
	{name: "a store that is silent to a write", method: "PUT", path: v1Path + "1", body: `{"city":"Metz"}`, header: map[string]string{"Grpc-Timeout": "400m"}, store: silentTo("PUT"), status: 504},
}

// statuses that no test can make a gateway send: a fault in its own code.
var unprovoked = map[string]bool{"500": true}

func asJSON(value any) string {
	content, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(content)
}

// A real gateway's answer of every kind is as the documents say. The OpenAPI 2 document is checked in the way in which a
// client made from it reads: types, and which statuses have which schema.
func TestAnswersAreAsTheDocumentsSay(t *testing.T) {
	running := startGateways(t)
	v3, v2 := readV3(t), readV2(t)
	seen := map[string]bool{}
	for _, e := range exchanges {
		t.Run(e.name, func(t *testing.T) {
			running.answer(e.store)
			base := running.open
			if e.token {
				base = running.guarded
			}
			response, body := send(t, base, e)
			if response.StatusCode != e.status {
				t.Fatalf("status %d, want %d: %s", response.StatusCode, e.status, body)
			}
			checkHeaders(t, v3, e, response)
			for name, doc := range map[string]*openapi3.T{"OpenAPI 3": v3, "OpenAPI 2": v2} {
				if err := check(t, doc, e, response, body); err != nil {
					t.Errorf("%s: %v\n%s", name, err, body)
				}
			}
		})
		method := e.method
		if method == http.MethodDelete {
			method = http.MethodPut // the path has no such operation
		}
		seen[method+" "+strconv.Itoa(e.status)] = true
	}
	for _, method := range []string{http.MethodGet, http.MethodPut} {
		for status := range v3.Paths.Value(v1Path + "{customer_id}").GetOperation(method).Responses.Map() {
			// An error that is the same for both is provoked for one.
			if !unprovoked[status] && !seen["GET "+status] && !seen["PUT "+status] {
				t.Errorf("no exchange of this test has status %s", status)
			}
		}
	}
}

// The check above must be able to fail.
func TestAnswersThatDifferFromTheDocumentAreDetected(t *testing.T) {
	doc := readV3(t)
	read := exchange{method: "GET", path: v1Path + "1", status: 200}
	customer := doc.Paths.Value(v1Path + "{customer_id}").Get.Responses.Value("200").Value.Content.Get("application/json").Example
	valid := asJSON(customer)
	for name, change := range map[string][2]string{
		"an id as text":               {`"id":1`, `"id":"1"`},
		"an amount as text":           {`"USD":24900`, `"USD":"24900"`},
		"a field too many":            {`"id":1`, `"id":1,"formatted_address":{}`},
		"a field too few":             {`"id":1,`, ``},
		"null where it cannot be":     {`"city":"Paris"`, `"city":null`},
		"a time that is none":         {`"2025-06-10T09:15:00Z"`, `"2025-06-10 09:15:00"`},
		"a customer without its name": {`{"customer":`, `{"data":`},
	} {
		t.Run(name, func(t *testing.T) {
			changed := strings.Replace(valid, change[0], change[1], 1)
			if changed == valid {
				t.Fatal("nothing was changed")
			}
			response := &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}, "X-Request-Id": {"a"}}}
			if err := check(t, doc, read, response, []byte(valid)); err != nil {
				t.Fatal(err)
			}
			if err := check(t, doc, read, response, []byte(changed)); err == nil {
				t.Errorf("%s is accepted", changed)
			}
		})
	}
	undocumented := &http.Response{StatusCode: http.StatusTeapot, Header: http.Header{}}
	if err := check(t, doc, read, undocumented, nil); err == nil {
		t.Error("an undocumented status is accepted")
	}
}

func send(t *testing.T, base string, e exchange) (*http.Response, []byte) {
	t.Helper()
	request := requestOf(t, base, e)
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, body
}

func requestOf(t *testing.T, base string, e exchange) *http.Request {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), e.method, base+e.path, strings.NewReader(e.body))
	if err != nil {
		t.Fatal(err)
	}
	if e.body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for name, value := range e.header {
		request.Header.Set(name, value)
	}
	return request
}

// check compares a response, and a request that is not malformed, with a document.
func check(t *testing.T, doc *openapi3.T, e exchange, response *http.Response, body []byte) error {
	t.Helper()
	if e.method == http.MethodDelete {
		e.method = http.MethodPut // the path has no such operation; the response is that of its others
	}
	router, err := legacy.NewRouter(doc)
	if err != nil {
		return err
	}
	request := requestOf(t, "", e)
	route, pathParams, err := router.FindRoute(request)
	if err != nil {
		return err
	}
	input := &openapi3filter.RequestValidationInput{Request: request, PathParams: pathParams, Route: route, Options: &openapi3filter.Options{
		AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true, ExcludeReadOnlyValidations: true,
	}}
	if !e.malformed {
		if err := openapi3filter.ValidateRequest(context.Background(), input); err != nil {
			return fmt.Errorf("request: %w", err)
		}
	}
	if err := checkNoBody(route, response.StatusCode, body); err != nil {
		return err
	}
	return openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: response.StatusCode, Header: response.Header, Body: io.NopCloser(bytes.NewReader(body)), Options: input.Options,
	})
}

// checkHeaders reports headers that the document has and a response lacks. Each may be absent in some responses, but in none
// of these.
func checkHeaders(t *testing.T, doc *openapi3.T, e exchange, response *http.Response) {
	t.Helper()
	path, method := strings.TrimRight(strings.Split(e.path, "?")[0], "0123456789")+"{customer_id}", e.method
	if method == http.MethodDelete {
		method = http.MethodPut
	}
	for name := range doc.Paths.Value(path).GetOperation(method).Responses.Status(response.StatusCode).Value.Headers {
		if response.Header.Get(name) == "" {
			t.Errorf("the response has no %s", name)
		}
	}
}

// checkNoBody returns an error for a body where the document has none, which the filter does not look for.
func checkNoBody(route *routers.Route, status int, body []byte) error {
	documented := route.Operation.Responses.Status(status)
	if documented != nil && len(documented.Value.Content) == 0 && len(body) > 0 {
		return fmt.Errorf("status %d has a body", status)
	}
	return nil
}

// gateways are a gateway in front of a sandbox store, and one that wants a token.
type gateways struct {
	open, guarded string
	// answer puts a handler in front of the sandbox store, or none.
	answer func(func(http.Handler) http.Handler)
}

func startGateways(t *testing.T) *gateways {
	t.Helper()
	binary, directory := gatewaytest.Build(t), t.TempDir()
	tokens, password := filepath.Join(directory, "tokens"), filepath.Join(directory, "password")
	if output, err := exec.CommandContext(t.Context(), binary, "token", "caller", "--token-file="+tokens).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	if err := os.WriteFile(password, []byte(gatewaytest.SandboxPassword), 0o600); err != nil {
		t.Fatal(err)
	}
	guarded := gatewaytest.Start(t, binary, "--sandbox", "--caller-auth=token", "--token-file="+tokens)
	target, err := url.Parse(guarded.Sandbox)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	var front atomic.Pointer[http.Handler]
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*front.Load()).ServeHTTP(w, r) }))
	t.Cleanup(store.Close)
	open := gatewaytest.Start(t, binary, "--store-url="+store.URL, "--store-username="+gatewaytest.SandboxUsername, "--store-password-file="+password)
	return &gateways{open: open.URL, guarded: guarded.URL, answer: func(wrap func(http.Handler) http.Handler) {
		var handler http.Handler = proxy
		if wrap != nil {
			handler = wrap(proxy)
		}
		front.Store(&handler)
	}}
}

func readV3(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromFile(filepath.Join("..", "..", "gen", "openapi", v3File))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func readV2(t *testing.T) *openapi3.T {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "..", "gen", "openapi", v2File))
	if err != nil {
		t.Fatal(err)
	}
	var doc openapi2.T
	if err := json.Unmarshal(content, &doc); err != nil {
		t.Fatal(err)
	}
	converted, err := openapi2conv.ToV3(&doc)
	if err != nil {
		t.Fatal(err)
	}
	converted.Servers = nil // "http" and "https" without a host
	if converted, err = load(converted); err != nil {
		t.Fatal(err)
	}
	return converted
}
