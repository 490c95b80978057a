package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// startStore serves a sandbox store on loopback until the test ends.
func startStore(t testing.TB, cfg sandbox.Config) (store *sandbox.Store, url string) {
	t.Helper()
	cfg.KeepLog = true
	store = sandbox.New(cfg)
	server := httptest.NewServer(store)
	t.Cleanup(server.Close)
	t.Cleanup(store.Close)
	return store, server.URL
}

// phpStore is a store as measured (F24): four workers, 33 ms per request.
func phpStore(customers int, fail func(*http.Request) *sandbox.Failure) sandbox.Config {
	return sandbox.Config{Workers: 4, Latency: 33 * time.Millisecond, Customers: customers, Fail: fail}
}

// ids are the first n of the customers that the sandbox store has besides its four.
func ids(n int) []int64 {
	list := make([]int64, n)
	for i := range list {
		list[i] = 1001 + int64(i)
	}
	return list
}

// randomFailure is one of all the ways in which a store fails. A late write is applied within 1.2 s.
func randomFailure() *sandbox.Failure {
	late := time.Duration(rand.IntN(1000)) * time.Millisecond
	return pick([]*sandbox.Failure{
		{Delay: time.Duration(rand.IntN(800)) * time.Millisecond},
		{Work: sandbox.Never, Delivery: sandbox.Reset},
		{Delivery: sandbox.Reset},
		{Delivery: sandbox.Silent},
		{Work: sandbox.Never, Delivery: sandbox.Silent},
		{Work: sandbox.Late, LateBy: late, Delivery: sandbox.Silent},
		{Work: sandbox.Late, LateBy: late, Delivery: sandbox.Reset},
		{Work: sandbox.Late, LateBy: late},
		{Work: sandbox.Late, LateBy: late, Instead: sandbox.BadGateway()},
		{Work: sandbox.Never, Instead: sandbox.BadGateway()},
		{Work: sandbox.Never, Instead: sandbox.GatewayTimeout()},
		{Work: sandbox.Never, Instead: sandbox.Maintenance()},
		{Work: sandbox.Never, Instead: sandbox.FatalError()},
		{Instead: sandbox.FatalError()},
		{Instead: sandbox.Response{Status: http.StatusOK, ContentType: "text/html", Body: "<html><body>cached</body></html>"}},
		{Work: sandbox.Never, Instead: sandbox.Response{Status: http.StatusOK, ContentType: "text/html", Body: "<html><body>cached</body></html>"}},
		{Delivery: sandbox.Truncated},
		{Delivery: sandbox.Dripping, Piece: 100, Pause: 10 * time.Millisecond},
		{Delivery: sandbox.Dripping, Piece: 10, Pause: 20 * time.Millisecond},
	})
}

// failSome lets a part of the requests fail.
func failSome(part float64) func(*http.Request) *sandbox.Failure {
	return func(*http.Request) *sandbox.Failure {
		if rand.Float64() >= part {
			return nil
		}
		return randomFailure()
	}
}

// recordingStore is a sandbox store that records the methods of its requests.
type recordingStore struct {
	*sandbox.Store

	url string

	mu   sync.Mutex
	sent []string // methods
}

func newRecordingStore(t testing.TB) *recordingStore {
	t.Helper()
	store := &recordingStore{Store: sandbox.New(sandbox.Config{})}
	store.url = serveRecorded(t, store.Store, func(r *http.Request) {
		store.mu.Lock()
		defer store.mu.Unlock()
		store.sent = append(store.sent, r.Method)
	})
	return store
}

// serveRecorded serves a store on loopback until the test ends. It calls record for each request that a call caused, and so not
// for a gateway's probe for the companion.
func serveRecorded(t testing.TB, store http.Handler, record func(*http.Request)) (url string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/fluentcart-gateway/v1") {
			record(r)
		}
		store.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// take returns the methods since the last take.
func (s *recordingStore) take() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	sent := strings.Join(s.sent, " ")
	s.sent = nil
	return sent
}

// directUpdate reads a customer and writes it back as it is, without a gateway.
func directUpdate(ctx context.Context, client *http.Client, store string, customer int64) error {
	address := fmt.Sprintf("%s/wp-json/fluent-cart/v2/customers/%d", store, customer)
	send := func(method, body string) ([]byte, error) {
		request, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
		if err != nil {
			return nil, err
		}
		request.Header.Set("Content-Type", "application/json")
		request.SetBasicAuth(sandbox.AdminUsername, sandbox.AdminPassword)
		response, err := client.Do(request)
		if err != nil {
			return nil, err
		}
		defer response.Body.Close()
		content, err := io.ReadAll(response.Body)
		if err == nil && response.StatusCode != http.StatusOK {
			err = fmt.Errorf("%s: %s", method, response.Status)
		}
		return content, err
	}
	content, err := send(http.MethodGet, "")
	if err != nil {
		return err
	}
	var read struct{ Customer json.RawMessage }
	if err := json.Unmarshal(content, &read); err != nil {
		return err
	}
	_, err = send(http.MethodPut, string(read.Customer))
	return err
}
