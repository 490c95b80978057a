package faults

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/server/browser"
)

const (
	prefix        = "/sandbox/"
	faultsPath    = prefix + "faults"
	resetPath     = prefix + "reset"
	companionPath = prefix + "companion"

	maxBody = 4 << 10
)

// Handler returns the store with the API of the switch beside it.
func (s *Switch) Handler(store *sandbox.Store) http.Handler {
	api := http.NewServeMux()
	api.HandleFunc("GET "+faultsPath, s.show)
	api.HandleFunc("POST "+faultsPath, s.setFault)
	api.HandleFunc("DELETE "+faultsPath, func(w http.ResponseWriter, _ *http.Request) {
		s.clear()
		w.WriteHeader(http.StatusNoContent)
	})
	api.HandleFunc("POST "+resetPath, func(w http.ResponseWriter, _ *http.Request) {
		s.clear()
		store.Reset()
		w.WriteHeader(http.StatusNoContent)
	})
	for method, active := range map[string]bool{http.MethodPut: true, http.MethodDelete: false} {
		api.HandleFunc(method+" "+companionPath, func(w http.ResponseWriter, _ *http.Request) {
			store.SetCompanion(active)
			w.WriteHeader(http.StatusNoContent)
		})
	}
	api.HandleFunc(faultsPath, refuseMethod("GET, POST, DELETE"))
	api.HandleFunc(resetPath, refuseMethod("POST"))
	api.HandleFunc(companionPath, refuseMethod("PUT, DELETE"))
	api.HandleFunc(prefix, func(w http.ResponseWriter, _ *http.Request) {
		writeError(w, http.StatusNotFound, "this path is not served; GET, POST and DELETE "+faultsPath+", POST "+resetPath+", and PUT and DELETE "+companionPath+" are")
	})
	// The store gets its requests as they are: the mux would redirect those whose path is not clean.
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !strings.HasPrefix(r.URL.Path, prefix):
			store.ServeHTTP(w, r)
		case isFromWebPage(r):
			writeError(w, http.StatusForbidden, "web pages may not call the sandbox's own paths; use curl or a program")
		default:
			api.ServeHTTP(w, r)
		}
	})
}

func refuseMethod(allow string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", allow)
		writeError(w, http.StatusMethodNotAllowed, "send "+allow+" to "+r.URL.Path)
	}
}

// isFromWebPage reports whether a page of another origin, or one whose name points to this machine (DNS rebinding), sends
// the request. The switch authenticates no caller, so any page could make a browser on this machine set faults.
func isFromWebPage(r *http.Request) bool {
	return http.NewCrossOriginProtection().Check(r) != nil || browser.MayBeRebound(r)
}

// setFault handles POST. Pages of other origins can send JSON only after a preflight, which nothing here answers.
func (s *Switch) setFault(w http.ResponseWriter, r *http.Request) {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" {
		writeError(w, http.StatusUnsupportedMediaType, "send the header Content-Type: application/json")
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			writeError(w, http.StatusRequestEntityTooLarge, "the body is too large for a fault")
		}
		return
	}
	f, err := parseFault(body)
	if err != nil {
		writeError(w, http.StatusBadRequest, strings.ReplaceAll(err.Error(), "\n", "; "))
		return
	}
	set, err := s.add(f)
	if err != nil {
		writeError(w, http.StatusBadRequest, err.Error())
		return
	}
	write(w, http.StatusCreated, set)
}

// knownFault is a kind as it is shown.
type knownFault struct {
	Fault  string   `json:"fault"`
	On     string   `json:"on"`
	Does   string   `json:"does"`
	Fields []string `json:"fields"`
}

// show handles GET.
func (s *Switch) show(w http.ResponseWriter, _ *http.Request) {
	var shown struct {
		Set   []shownFault `json:"set"`
		Known []knownFault `json:"known"`
	}
	shown.Set = s.list()
	for _, k := range catalogue() {
		shown.Known = append(shown.Known, knownFault{k.name, k.on, k.does, k.fields()})
	}
	write(w, http.StatusOK, shown)
}

func writeError(w http.ResponseWriter, status int, message string) {
	write(w, status, struct {
		Error string `json:"error"`
	}{message})
}

// write ignores write errors: a client that has left cannot be informed.
func write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", " ")
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(v)
}
