package server_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service"
)

// atomic returns the case for a gateway in write mode atomic, whose outcome must be the same, and false for a case that is about
// another write mode, or about reads that such a gateway does not make. A refusal of FluentCart's comes by way of the companion. Any
// other answer to the PUT comes in place of that of the companion, and the gateway cancels its request. A case whose outcome is
// unknown is not for it: TestOutcomesThatAreUnknownOtherwiseAreKnown has those.
func (c apiCase) atomic() (apiCase, bool) {
	if c.Gateway.WriteMode != "" || c.Atomic != nil && c.Atomic.Not != "" || c.Store.Down || c.Store.Untrusted {
		return c, false
	}
	put := c.Store.Answers[http.MethodPut]
	switch {
	case c.Request.Read:
	case len(c.Store.Answers) > 1, put == nil && c.Store.Answers != nil, put != nil && (c.Want.WriteState == "unknown" || put.isSuccess()):
		return c, false
	}
	c.Gateway.WriteMode = string(service.Atomic)
	if strings.Contains(c.Want.Sent, http.MethodPut) || c.Want.Sent != "" && !c.Request.onlyReads() {
		isDefinitive := c.Want.Sent == "GET PUT"
		c.Want.Sent = http.MethodPost
		if put != nil && !put.isRefusal() && !isDefinitive {
			c.Want.Sent += " " + http.MethodDelete
		}
	}
	if put != nil && !put.isRefusal() {
		c.Store.Answers = map[string]*rawAnswer{http.MethodPost: put}
	}
	c.Want.Put = nil
	if c.Atomic != nil {
		c.Want.Sent = or(c.Atomic.Sent, c.Want.Sent)
		if c.Atomic.Want != nil {
			c.Want = *c.Atomic.Want
		}
	}
	return c, true
}

// onlyReads reports whether the request is for a call that never writes.
func (r requestSetting) onlyReads() bool {
	return r.Read || r.ValidateOnly || strings.Contains(r.HTTP, "validate_only")
}

// isSuccess reports whether the answer is one of FluentCart to a PUT that it has made, which the companion never sends.
func (a *rawAnswer) isSuccess() bool {
	return a.Shows != nil || !a.After && a.Status < http.StatusMultipleChoices && (a.JSON != nil || a.Body != "")
}

// isRefusal reports whether the answer is one of FluentCart that refuses a write.
func (a *rawAnswer) isRefusal() bool {
	return a.Status >= http.StatusBadRequest && a.JSON != nil && !a.After
}

// refuseInCompanion answers a request to the companion as it does after FluentCart has refused the PUT.
func (a *rawAnswer) refuseInCompanion(w http.ResponseWriter, r *http.Request, next http.Handler) {
	body, _ := io.ReadAll(r.Body)
	var request map[string]json.RawMessage
	if json.Unmarshal(body, &request) != nil {
		http.Error(w, "the gateway sent no JSON", http.StatusTeapot)
		return
	}
	look, _ := json.Marshal(map[string]any{"request_id": request["request_id"], "set": map[string]any{}, "if_match": []string{}})
	looking := r.Clone(r.Context())
	looking.Body = io.NopCloser(strings.NewReader(string(look)))
	answered := httptest.NewRecorder()
	next.ServeHTTP(answered, looking)
	var returned map[string]json.RawMessage
	if json.Unmarshal(answered.Body.Bytes(), &returned) != nil || returned["customer"] == nil {
		_, _ = w.Write(answered.Body.Bytes()) // there is no such customer
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{
		"fluentcart_gateway": 1, "request_id": request["request_id"], "result": "refused", "before": returned["customer"],
		"answer": map[string]any{"status": a.Status, "body": a.JSON},
	})
}

// A write whose outcome is unknown in write mode merge, because its response is lost or says nothing, has a known one in write mode
// atomic, and the outcome is that of the row.
func TestOutcomesThatAreUnknownOtherwiseAreKnown(t *testing.T) {
	found := 0
	for name, file := range loadCases(t) {
		for _, c := range file.Cases {
			put := c.Store.Answers[http.MethodPut]
			if c.Gateway.WriteMode != "" || put == nil || len(c.Store.Answers) > 1 || c.Want.WriteState != "unknown" || c.Atomic != nil {
				continue
			}
			found++
			t.Run(strings.TrimSuffix(name, ".json")+"/"+c.Name, func(t *testing.T) {
				t.Parallel()
				c.Gateway.WriteMode = string(service.Atomic)
				c.Gateway.PutTimeout = timeout(200 * time.Millisecond)
				c.Gateway.DefaultTimeout, c.Gateway.SettleTime = 0, timeout(20*time.Second)
				c.Store.Answers = map[string]*rawAnswer{http.MethodPost: put}
				g := c.start(t)
				before := g.store.Rows()
				got := c.Request.overJSON(t, g, "")
				written := len(rowChanges(t, before, g.store.Rows())) > 0
				isOK, isKnown := got.Code == "OK", got.WriteState == "rejected" || got.WriteState == "not_sent"
				if claimsAChange := isOK && len(got.ChangedFields) > 0; claimsAChange != written || !isOK && !isKnown {
					t.Errorf("the call got %s, %s, %s, and a column has changed: %v", got.Code, got.Reason, got.WriteState, written)
				}
			})
		}
	}
	if found < 20 {
		t.Errorf("%d cases, which are too few to show it", found)
	}
}
