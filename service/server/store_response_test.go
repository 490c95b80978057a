package server_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// rawAnswer is a response of the store that replaces that of the sandbox.
type rawAnswer struct {
	Status int
	Header map[string]string
	Body   string
	// JSON is a body too, for those that are JSON.
	JSON json.RawMessage
	// After lets the sandbox process the request before the response is sent in place of its own (F25).
	After bool
	// Shows are columns of the customer that replace those in the sandbox's own response.
	Shows map[string]json.RawMessage
	// Printed precedes the sandbox's own response.
	Printed string
	// File is a raw HTTP response in ../fluentcart/testdata/failures.
	File string
	// Hang sends nothing until the gateway gives up; Cut closes the connection instead of a response; CutAfter lets the
	// sandbox process the request first.
	Hang, Cut bool
	CutAfter  bool `json:"cut_after"`
}

// answering is a store with some of its responses replaced.
func answering(answers map[string]*rawAnswer) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if answer := answers[http.MethodPut]; answer != nil && isUpdateByCompanion(r) && answers[http.MethodPost] == nil {
				answer.refuseInCompanion(w, r, next)
				return
			}
			if answer := answers[r.Method]; answer != nil && !isProbe(r) {
				answer.serve(w, r, next)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

func isUpdateByCompanion(r *http.Request) bool {
	return r.Method == http.MethodPost && strings.Contains(r.URL.Path, "/fluentcart-gateway/v1/customers/")
}

func (a *rawAnswer) serve(w http.ResponseWriter, r *http.Request, next http.Handler) {
	if a.After {
		next.ServeHTTP(httptest.NewRecorder(), r)
	}
	switch {
	case a.Hang:
		<-r.Context().Done()
		return
	case a.CutAfter:
		next.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	case a.Shows != nil:
		answered := httptest.NewRecorder()
		next.ServeHTTP(answered, r)
		w.WriteHeader(answered.Code)
		_, _ = w.Write(a.show(answered.Body.Bytes()))
		return
	case a.Printed != "":
		answered := httptest.NewRecorder()
		next.ServeHTTP(answered, r)
		w.WriteHeader(answered.Code)
		_, _ = w.Write([]byte(a.Printed + answered.Body.String()))
		return
	case a.Cut:
		panic(http.ErrAbortHandler)
	case a.File != "":
		serveFile(w, a.File)
		return
	}
	for name, value := range a.Header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(or(a.Status, http.StatusOK))
	if a.JSON != nil {
		_, _ = w.Write(a.JSON)
		return
	}
	_, _ = w.Write([]byte(a.Body))
}

// show returns a response with the columns of a.Shows, if it holds a customer.
func (a *rawAnswer) show(content []byte) []byte {
	var body map[string]json.RawMessage
	if json.Unmarshal(content, &body) != nil {
		return content
	}
	for _, member := range []string{"customer", "data"} {
		var columns map[string]json.RawMessage
		if json.Unmarshal(body[member], &columns) != nil || columns["id"] == nil {
			continue
		}
		maps.Copy(columns, a.Shows)
		body[member], _ = json.Marshal(columns)
		content, _ = json.Marshal(body)
	}
	return content
}

// serveFile serves a recorded response. The recordings say "chunked" above a body that is not.
func serveFile(w http.ResponseWriter, name string) {
	content, err := os.ReadFile(filepath.Join("..", "fluentcart", "testdata", "failures", name))
	if err != nil {
		http.Error(w, "no such recording", http.StatusTeapot)
		return
	}
	reader := textproto.NewReader(bufio.NewReader(bytes.NewReader(content)))
	line, err := reader.ReadLine()
	if err != nil {
		http.Error(w, "not an HTTP answer", http.StatusTeapot)
		return
	}
	header, err := reader.ReadMIMEHeader()
	if err != nil {
		http.Error(w, "not an HTTP answer", http.StatusTeapot)
		return
	}
	for key, values := range header {
		if key != "Transfer-Encoding" && key != "Connection" && key != "Content-Length" {
			w.Header()[key] = values
		}
	}
	status, _ := strconv.Atoi(strings.Fields(line)[1])
	w.WriteHeader(status)
	_, _ = reader.R.WriteTo(w)
}
