package sandbox

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const companionPrefix = prettyPrefix + companionRoute

// attemptID returns a request_id.
func attemptID(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }

// post sends an update to the companion, and returns its answer.
func post(t testing.TB, store *Store, id int64, body fields) map[string]any {
	t.Helper()
	w := send(t, store, http.MethodPost, fmt.Sprintf("%s/customers/%d", companionPrefix, id), marshal(t, body))
	return answerOf(t, w)
}

// postSet sends an update with a request_id and the columns to change.
func postSet(t testing.TB, store *Store, id int64, attempt int, set fields) map[string]any {
	t.Helper()
	return post(t, store, id, fields{"request_id": attemptID(attempt), "set": set})
}

func cancelUpdateOf(t testing.TB, store *Store, attempt int) map[string]any {
	t.Helper()
	return answerOf(t, send(t, store, http.MethodDelete, companionPrefix+"/requests/"+attemptID(attempt), ""))
}

// answerOf returns an answer that has the mark of the companion.
func answerOf(t testing.TB, w *httptest.ResponseRecorder) map[string]any {
	t.Helper()
	wantStatus(t, w, http.StatusOK)
	var answer map[string]any
	unmarshal(t, w, &answer)
	if answer["fluentcart_gateway"] != 1.0 || answer["request_id"] == nil {
		t.Errorf("an answer without the mark: %s", w.Body)
	}
	return answer
}

func wantResult(t testing.TB, answer map[string]any, want string) {
	t.Helper()
	if answer["result"] != want {
		t.Fatalf("result %v, want %s: %v", answer["result"], want, answer)
	}
}

// as sends a request with the credentials of a user; without a name, with none.
func as(t testing.TB, store *Store, username, password, method, target, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	if username != "" {
		r.SetBasicAuth(username, password)
	}
	w := httptest.NewRecorder()
	store.ServeHTTP(w, r)
	return w
}

func TestCompanionHasItsRoutesOnly(t *testing.T) {
	update := `{"request_id":"` + attemptID(1) + `","set":{"city":"Lyon"}}`
	request := "/requests/" + attemptID(1)
	const plain = "/?rest_route=/fluentcart-gateway/v1"
	tests := []struct {
		name, method, target string
		override             string
		status               int
		allow                string
	}{
		{"the index", "GET", companionPrefix, "", 200, "GET"},
		{"the index with a slash", "GET", companionPrefix + "/", "", 200, "GET"},
		{"the index of a store with plain permalinks", "GET", plain, "", 200, "GET"},
		{"the index with a slash and plain permalinks", "GET", plain + "/", "", 200, "GET"},
		{"the index by HEAD", "HEAD", companionPrefix, "", 200, "GET"},
		{"an update", "POST", companionPrefix + "/customers/1", "", 200, "POST"},
		{"an update with plain permalinks", "POST", plain + "/customers/1", "", 200, "POST"},
		{"an update in a PUT", "PUT", companionPrefix + "/customers/1", "POST", 200, "POST"},
		{"a cancellation", "DELETE", companionPrefix + request, "", 200, "DELETE"},
		{"a cancellation with plain permalinks", "DELETE", plain + request, "", 200, "DELETE"},
		{"a cancellation in a POST", "POST", companionPrefix + request, "DELETE", 200, "DELETE"},
		{"a cancellation by an id in capitals", "DELETE", companionPrefix + "/requests/ABCDEFAB-0000-4000-8000-00000000000A", "", 200, "DELETE"},
		{"PUT is no route", "PUT", companionPrefix + "/customers/1", "", 404, ""},
		{"a read is no route", "GET", companionPrefix + "/customers/1", "", 404, ""},
		{"a customer is digits", "POST", companionPrefix + "/customers/1a", "", 404, ""},
		{"a request is a UUID", "DELETE", companionPrefix + "/requests/1", "", 404, ""},
		{"a POST without the override is no cancellation", "POST", companionPrefix + request, "", 404, ""},
		{"another version is no route", "GET", companionPrefix + "1", "", 404, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, active := range []bool{true, false} {
				r := httptest.NewRequestWithContext(t.Context(), tt.method, tt.target, strings.NewReader(update))
				r.Header.Set("Content-Type", "application/json")
				r.Header.Set("X-HTTP-Method-Override", tt.override)
				r.SetBasicAuth(AdminUsername, AdminPassword)
				w := httptest.NewRecorder()
				New(Config{Companion: active}).ServeHTTP(w, r)
				if active {
					wantStatus(t, w, tt.status)
				} else {
					wantStatus(t, w, http.StatusNotFound)
				}
				if got := w.Header().Get("Allow"); active && got != tt.allow {
					t.Errorf("Allow %q, want %q", got, tt.allow)
				}
				if w.Code == http.StatusNotFound && !strings.Contains(w.Body.String(), `"rest_no_route"`) {
					t.Errorf("the body of the 404 is %s", w.Body)
				}
			}
		})
	}
}

func TestCompanionAppearsAndVanishes(t *testing.T) {
	store := New(Config{})
	status := func() int { return send(t, store, http.MethodGet, companionPrefix, "").Code }
	before := status()
	store.SetCompanion(true)
	active := status()
	wantResult(t, postSet(t, store, 1, 1, fields{"city": newCity}), "applied")
	store.SetCompanion(false)
	inactive := status()
	if got, want := [3]int{before, active, inactive}, [3]int{404, 200, 404}; got != want {
		t.Errorf("statuses %v, want %v", got, want)
	}
	store.SetCompanion(true)
	wantResult(t, postSet(t, store, 1, 1, fields{"city": "Nice"}), "already_applied") // the table outlives the plug-in
}

func TestIndexSaysMoreToThoseWhoMayManageCustomers(t *testing.T) {
	tests := []struct {
		name, username, password string
		status                   int
		members                  []string // beside those of WordPress
	}{
		{"no credentials", "", "", 200, []string{"fluentcart_gateway", "ready", "version"}},
		{"an account without permission", SubscriberUsername, SubscriberPassword, 200, []string{"fluentcart_gateway", "ready", "version"}},
		{"an account with permission", AdminUsername, AdminPassword, 200, []string{"fluentcart_gateway", "ready", "refuses", "store", "version"}},
		{"a wrong password", AdminUsername, "wrong", 401, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := as(t, New(Config{Companion: true}), tt.username, tt.password, http.MethodGet, companionPrefix, "")
			wantStatus(t, w, tt.status)
			if tt.status != http.StatusOK {
				return
			}
			var index map[string]any
			unmarshal(t, w, &index)
			var members []string
			for _, name := range []string{"fluentcart_gateway", "ready", "refuses", "store", "version"} {
				if _, ok := index[name]; ok {
					members = append(members, name)
				}
			}
			if diff := cmp.Diff(tt.members, members); diff != "" || index["fluentcart_gateway"] != 1.0 || index["ready"] != true {
				t.Errorf("members (-want +got):\n%s\n%s", diff, w.Body)
			}
		})
	}
}

func TestCompanionAuthorizesUpdatesAndCancellations(t *testing.T) {
	update := `{"request_id":"` + attemptID(1) + `","set":{"city":"Lyon"}}`
	tests := []struct {
		name, username, password string
		status                   int
	}{
		{"no credentials", "", "", 401},
		{"a wrong password", AdminUsername, "wrong", 401},
		{"an account without permission", SubscriberUsername, SubscriberPassword, 403},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			store := New(Config{Companion: true})
			for method, target := range map[string]string{http.MethodPost: "/customers/1", http.MethodDelete: "/requests/" + attemptID(1)} {
				w := as(t, store, tt.username, tt.password, method, companionPrefix+target, update)
				wantStatus(t, w, tt.status)
				if !strings.Contains(w.Body.String(), `"rest_forbidden"`) {
					t.Errorf("%s: %s", method, w.Body)
				}
			}
			wantCity(t, store, oldCity)
			wantResult(t, postSet(t, store, 1, 1, fields{"city": newCity}), "applied") // the cancellation had no effect
		})
	}
}

func TestCompanionRefusesInvalidParameters(t *testing.T) {
	valid := `"request_id":"` + attemptID(1) + `","set":{"city":"Lyon"}`
	tests := []struct {
		name, query, body, has string
	}{
		{"no JSON", "", `{`, `"rest_invalid_json"`},
		{"no parameters", "", `[]`, "parameter(s): request_id"},
		{"no request_id", "", `{"set":{}}`, "parameter(s): request_id"},
		{"a request_id that is no UUID", "", `{"request_id":"1","set":{}}`, "must be a UUID"},
		{"no set", "", `{"request_id":"` + attemptID(1) + `"}`, "parameter(s): set"},
		{"a list as set", "", `{"request_id":"` + attemptID(1) + `","set":["city"]}`, "parameter(s): set"},
		{"an unknown column", "", `{"request_id":"` + attemptID(1) + `","set":{"aov":"1"}}`, "parameter(s): set"},
		{"null for a column", "", `{"request_id":"` + attemptID(1) + `","set":{"city":null}}`, "parameter(s): set"},
		{"a number for a text", "", `{"request_id":"` + attemptID(1) + `","set":{"city":1}}`, "parameter(s): set"},
		{"a text for user_id", "", `{"request_id":"` + attemptID(1) + `","set":{"user_id":"1"}}`, "parameter(s): set"},
		{"a negative user_id", "", `{"request_id":"` + attemptID(1) + `","set":{"user_id":-1}}`, "parameter(s): set"},
		{"an unknown column to keep", "", `{` + valid + `,"keep":["aov"]}`, "parameter(s): keep"},
		{"a version that is no list", "", `{` + valid + `,"if_match":"v"}`, "parameter(s): if_match"},
		{"null as if_match", "", `{` + valid + `,"if_match":null}`, "parameter(s): if_match"},
		{"a key that is no UUID", "", `{` + valid + `,"key":"k"}`, "parameter(s): key"},
		{"a fingerprint that is too long", "", `{` + valid + `,"fingerprint":"` + strings.Repeat("f", 65) + `"}`, "parameter(s): fingerprint"},
		{"a customer's field in the outer body", "", `{` + valid + `,"city":"Nice"}`, "parameter(s): city"},
		{"a customer's field in the query", "?city=Nice", `{` + valid + `}`, "parameter(s): city"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			store := New(Config{Companion: true})
			w := send(t, store, http.MethodPost, companionPrefix+"/customers/1"+tt.query, tt.body)
			wantStatus(t, w, http.StatusBadRequest)
			if !strings.Contains(w.Body.String(), tt.has) {
				t.Errorf("%s, want %s", w.Body, tt.has)
			}
			wantCity(t, store, oldCity)
		})
	}
}
