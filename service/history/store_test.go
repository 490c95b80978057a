package history

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

// Two callers read, merge and write at the sandbox store, with and without a lost update.
func TestLostUpdateIsFoundInTheLogOfTheSandboxStore(t *testing.T) {
	tests := []struct {
		name     string
		together bool
	}{
		{"one call after another", false},
		{"both calls read before either writes", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			store := sandbox.New(sandbox.Config{KeepLog: true, Customers: 1})
			const id = 1001
			calls := []Call{
				{ID: 1, Customer: id, Fields: fields{"city": "c1"}},
				{ID: 2, Customer: id, Fields: fields{"notes": "n2"}},
			}
			read := get(t, store)
			initial := map[int64]map[string]string{id: answered(read)}
			for i := range calls {
				c := &calls[i]
				c.Begin = time.Now()
				if !tt.together {
					read = get(t, store)
				}
				c.After = answered(put(t, store, read, c.Fields))
				c.End, c.Outcome = time.Now(), Written
			}

			writes := store.Writes()
			wantLines(t, FalseClaims(calls, writes)) // each call was written, even if the other overwrote it
			if !tt.together {
				wantLines(t, Reverts(calls, writes))
				wantError(t, Linearizable(calls, initial, searchLimit), "")
				return
			}
			wantLines(t, Reverts(calls, writes), `call 2…city from "c1" to "Start"`)
			wantError(t, Linearizable(calls, initial, searchLimit), "then call 2")
		})
	}
}

// Updates by the companion send only their own values, and the store keeps every other column.
func TestAtomicUpdatesAreFoundInTheLogOfTheSandboxStore(t *testing.T) {
	store := sandbox.New(sandbox.Config{KeepLog: true, Customers: 1, Companion: true})
	const id = 1001
	initial := map[int64]map[string]string{id: answered(get(t, store))}
	calls := []Call{
		{ID: 1, Customer: id, Fields: fields{"city": "c1"}},
		{ID: 2, Customer: id, Fields: fields{"notes": "n2", "full_name": "Eve Poe"}},
		{ID: 3, Customer: id, Fields: fields{"city": "c3", "email": "e3@example.com"}},
	}
	for i := range calls {
		c := &calls[i]
		c.Begin = time.Now()
		c.After = answered(post(t, store, i, c.Fields))
		c.End, c.Outcome = time.Now(), Written
	}
	writes := store.Writes()
	wantLines(t, FalseClaims(calls, writes))
	wantLines(t, Reverts(calls, writes))
	wantError(t, Linearizable(calls, initial, searchLimit), "")

	post(t, store, len(calls), calls[0].Fields) // as a new request
	wantLines(t, Reverts(calls, store.Writes()), `applies call 1 a second time: city from "c3" to "c1"`)
}

// post sends an update to the companion, and returns the customer of its answer.
func post(t testing.TB, store *sandbox.Store, request int, set fields) map[string]any {
	t.Helper()
	body, err := json.Marshal(map[string]any{"request_id": fmt.Sprintf("00000000-0000-4000-8000-%012d", request), "set": set})
	if err != nil {
		t.Fatal(err)
	}
	answer := exchange(t, store, http.MethodPost, "/fluentcart-gateway/v1/customers/1001", string(body))
	if answer["result"] != "applied" {
		t.Fatalf("POST: %v", answer)
	}
	return answer["customer"].(map[string]any)
}

func get(t testing.TB, store *sandbox.Store) map[string]any {
	t.Helper()
	return exchange(t, store, http.MethodGet, customerRoute, "")["customer"].(map[string]any)
}

func put(t testing.TB, store *sandbox.Store, read map[string]any, asked fields) map[string]any {
	t.Helper()
	sent := map[string]any{}
	for _, field := range []string{
		"id", "email", "full_name", "city", "state", "country", "postcode", "status", "notes", "aov", "user_id",
	} {
		sent[field] = read[field]
	}
	for field, text := range asked {
		sent[field] = text
	}
	body, err := json.Marshal(sent)
	if err != nil {
		t.Fatal(err)
	}
	return exchange(t, store, http.MethodPut, customerRoute, string(body))["data"].(map[string]any)
}

const customerRoute = "/fluent-cart/v2/customers/1001"

func exchange(t testing.TB, store *sandbox.Store, method, route, body string) map[string]any {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "/wp-json"+route, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.SetBasicAuth(sandbox.AdminUsername, sandbox.AdminPassword)
	w := httptest.NewRecorder()
	store.ServeHTTP(w, r)
	var answer map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%s: %d %s", method, w.Code, w.Body)
	}
	return answer
}

// answered returns the columns of Call.After.
func answered(customer map[string]any) fields {
	shown := fields{}
	for _, field := range stateFields {
		shown[field], _ = customer[field].(string)
	}
	return shown
}
