package sandbox

import (
	"net/http"
	"strings"
)

// The companion is the WordPress plug-in that updates a customer in one transaction (deploy/wordpress).
const (
	companionRoute     = "/fluentcart-gateway/v1"
	companionNamespace = "fluentcart-gateway/v1"
	companionProtocol  = 1
	companionVersion   = "1.0.0"
)

// SetCompanion activates the companion, or deactivates it. Requests to its routes then get a missing route, as in any store
// without it; what it remembers of earlier requests stays.
func (s *Store) SetCompanion(active bool) { s.companion.Store(active) }

// companionTarget returns the target of a request by what follows the companion's namespace.
func companionTarget(rest, method string) target {
	if rest == "" && (method == http.MethodGet || method == http.MethodHead) {
		return target{action: showIndex}
	}
	if id, ok := strings.CutPrefix(rest, "/customers/"); ok && isDigits(id) && method == http.MethodPost {
		return target{action: updateAtomically, customer: castInt(id)}
	}
	if id, ok := strings.CutPrefix(rest, "/requests/"); ok && method == http.MethodDelete {
		if id, ok := parseUUID(id); ok {
			return target{action: cancelUpdate, requestID: id}
		}
	}
	return target{}
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// indexJSON is WordPress's index of the companion's namespace, with the companion's own members.
type indexJSON struct {
	Namespace string               `json:"namespace"`
	Routes    map[string]routeJSON `json:"routes"`
	Protocol  int                  `json:"fluentcart_gateway"`
	Version   string               `json:"version"`
	Ready     bool                 `json:"ready"`
	Refuses   []string             `json:"refuses,omitzero"` // this and Store are for callers that may manage customers
	Store     map[string]string    `json:"store,omitempty"`
}

type routeJSON struct {
	Namespace string   `json:"namespace"`
	Methods   []string `json:"methods"`
}

// index handles GET of the namespace. It needs no credentials, but WordPress refuses wrong ones on any route.
func (s *Store) index(w http.ResponseWriter, r *http.Request) {
	index := indexJSON{
		Namespace: companionNamespace,
		Routes: map[string]routeJSON{
			companionRoute: {companionNamespace, []string{http.MethodGet}},
			companionRoute + `/customers/(?P<id>\d+)`:                     {companionNamespace, []string{http.MethodPost}},
			companionRoute + `/requests/(?P<request_id>[0-9a-fA-F-]{36})`: {companionNamespace, []string{http.MethodDelete}},
		},
		Protocol: companionProtocol,
		Version:  companionVersion,
		Ready:    true,
	}
	if r.Header.Get("Authorization") != "" {
		switch refusal := s.authorize(r); refusal {
		case nil:
			index.Refuses = []string{}
			index.Store = map[string]string{"wordpress": "7.0.4", "fluentcart": "1.5.2", "php": "8.4.0", "database": "10.11.0-MariaDB"}
		case &forbidden: // such an account gets what anyone gets
		default:
			refusal.write(w)
			return
		}
	}
	writeJSON(w, http.StatusOK, http.MethodGet, index)
}

// The results of the companion's POST and DELETE.
const (
	resultApplied        = "applied"
	resultReturned       = "returned"
	resultRefused        = "refused"
	resultAlreadyApplied = "already_applied"
	resultKeyReused      = "key_reused"
	resultCancelled      = "cancelled"
	resultMissing        = "missing"
	resultFailed         = "failed"
)

// companionJSON is an answer of the companion. The members that a result does not have are left out.
type companionJSON struct {
	Protocol  int           `json:"fluentcart_gateway"`
	RequestID string        `json:"request_id"`
	Result    string        `json:"result"`
	Why       string        `json:"why,omitempty"`
	Cause     string        `json:"cause,omitempty"`
	Columns   []string      `json:"columns,omitempty"`
	Version   string        `json:"version,omitempty"`
	Changed   []string      `json:"changed,omitzero"`
	Before    *rawRow       `json:"before,omitempty"`
	Customer  *customerJSON `json:"customer,omitempty"`
	Answer    *refusalJSON  `json:"answer,omitempty"`
}

// answer sends an answer of the companion.
func answer(w http.ResponseWriter, allow, requestID string, a companionJSON) {
	a.Protocol, a.RequestID = companionProtocol, requestID
	writeJSON(w, http.StatusOK, allow, a)
}

// writeInvalidParam sends WordPress's response to a parameter that is missing or invalid.
func writeInvalidParam(w http.ResponseWriter, allow, param, problem string) {
	writeJSON(w, http.StatusBadRequest, allow, struct {
		Code    string `json:"code"`
		Message string `json:"message"`
		Data    any    `json:"data"`
	}{"rest_invalid_param", "Invalid parameter(s): " + param, struct {
		Status int               `json:"status"`
		Params map[string]string `json:"params"`
	}{http.StatusBadRequest, map[string]string{param: problem}}})
}
