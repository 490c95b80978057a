package e2e

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/history"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// falseStatuses are what plug-ins, firewalls and proxies answer to a PUT, before or after the row was written (F25).
var falseStatuses = []int{
	200, 201, 202, 204, 301, 302, 304, 307, 400, 401, 403, 404, 405, 406, 409, 410, 413, 415, 418, 422, 423, 429, 451, 500, 502, 503, 504, 520, 525,
}

// In a store whose responses to one PUT in ten have a random status and body, half of them after the write and half in its
// place, every claim of the gateway about a write is true.
func TestEveryClaimIsTrueWhenResponsesAreFalse(t *testing.T) {
	lasting := 10 * time.Second
	if soaking(t) {
		lasting = time.Minute
	}
	t.Parallel()
	var liar falseResponses
	store, url := startStore(t, sandbox.Config{Latency: 5 * time.Millisecond, Customers: 50, Fail: liar.fail})
	liar.store = store
	gateway := startGateway(t, url, append(quickFlags, "--max-queue=1000", "--max-in-flight=16")...)
	s := newStorm(store)
	s.run(t.Context(), 60, ids(50), func() *process { return gateway }, lasting)
	if code := gateway.stop(); code != 0 {
		t.Errorf("the gateway ended with %d: %s", code, gateway.log)
	}
	s.judge(t, store)
	if counts := s.counts(); counts[history.Written] < 500 {
		t.Errorf("too few calls were written: %v", counts)
	}
}

// falseResponses answers some PUTs with what says nothing about the write.
type falseResponses struct{ store *sandbox.Store }

func (f *falseResponses) fail(r *http.Request) *sandbox.Failure {
	if r.Method != http.MethodPut || rand.IntN(10) > 0 {
		return nil
	}
	return f.response(r)
}

// response is what says nothing about the request, in place of its work or after it.
func (f *falseResponses) response(r *http.Request) *sandbox.Failure {
	failure := &sandbox.Failure{Work: pick([]sandbox.Work{sandbox.Done, sandbox.Never})}
	failure.Instead = sandbox.Response{Status: pick(falseStatuses)}
	failure.Instead.ContentType, failure.Instead.Body = f.body(r, failure.Instead.Status)
	if failure.Instead.Status/100 == 3 {
		failure.Instead.Header = http.Header{"Location": {"https://shop.example.com/"}}
	}
	return failure
}

// body returns a random body for a response with a status. The customer in it is as before the write. The error of a plug-in
// states that status or another one, but never has a code that WordPress or FluentCart gives before the write.
func (f *falseResponses) body(r *http.Request, status int) (contentType, body string) {
	const typeJSON = "application/json; charset=UTF-8"
	switch rand.IntN(12) {
	case 0:
		return "text/html", "<html><body>no</body></html>"
	case 1:
		return "text/html", ""
	case 2:
		return typeJSON, f.customer(r, customerPath(r))
	case 3:
		whole := f.customer(r, customerPath(r))
		return typeJSON, whole[:len(whole)*2/3]
	case 4:
		return typeJSON, f.customer(r, fmt.Sprintf("/wp-json/fluent-cart/v2/customers/%d", 1001+rand.IntN(50)))
	case 5: // the companion's answer to another request
		return typeJSON, `{"fluentcart_gateway":1,"request_id":"` + uuid.NewString() + `","result":"` + pick([]string{"cancelled", "already_applied", "failed"}) + `","changed":[],"cause":"database","customer":null}`
	case 6:
		return typeJSON, fmt.Sprintf(`{"code":"points_failed","message":"No points","data":{"status":%d}}`, pick([]int{status, pick(falseStatuses)}))
	}
	return typeJSON, pick([]string{`{"success":false,"data":"x"}`, `{}`, `[]`, `null`, `{"data":{"id":1}}`, `{"message":"ok"}`})
}

// customerPath is the path of FluentCart's PUT for the customer of the request.
func customerPath(r *http.Request) string {
	id, _ := sandbox.Customer(r)
	return fmt.Sprintf("/wp-json/fluent-cart/v2/customers/%d", id)
}

// customer returns a response of the store to a PUT that changed nothing.
func (f *falseResponses) customer(r *http.Request, path string) string {
	read := httptest.NewRequestWithContext(r.Context(), http.MethodGet, path, nil)
	read.Header.Set("User-Agent", outsider) // it is not a request of the gateway, and gets no fault
	read.SetBasicAuth(sandbox.AdminUsername, sandbox.AdminPassword)
	response := httptest.NewRecorder()
	f.store.ServeHTTP(response, read)
	var customer struct{ Customer json.RawMessage }
	_ = json.Unmarshal(response.Body.Bytes(), &customer) // the sandbox store answers each GET
	return `{"message":"Customer updated successfully!","data":` + string(customer.Customer) + `}`
}
