package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// recording is one request to the live store, its response, and the changes in the database.
type recording struct {
	Name    string `json:"name"`
	Mode    string `json:"mode"`
	Setup   []any  `json:"setup"`
	Auth    string `json:"auth"`
	Request struct {
		Method string          `json:"method"`
		Path   string          `json:"path"`
		Body   json.RawMessage `json:"body"`
		Raw    *string         `json:"raw"` // a body that is not a JSON object
	} `json:"request"`
	Response struct {
		Status  int               `json:"status"`
		Headers map[string]string `json:"headers"`
		JSON    json.RawMessage   `json:"json"`
	} `json:"response"`
	RowChanges map[string]map[string][2]any `json:"row_changes"`
}

const recordingCount = 62

// TestRecordedResponsesAreReproduced replays the recorded requests of a live store, each from the state of the fixture.
func TestRecordedResponsesAreReproduced(t *testing.T) {
	data, err := os.ReadFile("testdata/recordings.json")
	if err != nil {
		t.Fatal(err)
	}
	var recordings []recording
	if err := json.Unmarshal(data, &recordings); err != nil {
		t.Fatal(err)
	}
	if len(recordings) < recordingCount {
		t.Fatalf("%d recordings, want at least %d", len(recordings), recordingCount)
	}

	for _, rec := range recordings {
		t.Run(rec.Name, func(t *testing.T) {
			if len(rec.Setup) > 0 {
				t.Fatalf("the recording does not start from the fixture: %v", rec.Setup)
			}
			store := New(Config{SplitNames: rec.Mode == "split"})
			before := rowsByColumn(t, store)
			start := time.Now()

			w := httptest.NewRecorder()
			store.ServeHTTP(w, rec.request(t))

			if w.Code != rec.Response.Status {
				t.Errorf("status %d, want %d", w.Code, rec.Response.Status)
			}
			for _, name := range []string{"Content-Type", "Allow"} {
				if got, want := w.Header().Get(name), rec.Response.Headers[name]; got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
			changes := rowChanges(before, rowsByColumn(t, store))
			if !reflect.DeepEqual(changes, rec.RowChanges) {
				t.Errorf("rows changed\n got %v\nwant %v", changes, rec.RowChanges)
			}
			got, want := tokens(t, w.Body.Bytes()), tokens(t, rec.Response.JSON)
			if len(rec.RowChanges) > 0 {
				takeUpdatedAt(t, want)
				if at := takeUpdatedAt(t, got); at.Before(start.Truncate(time.Second)) {
					t.Errorf("updated_at is %v, want the time of the write", at)
				}
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("body\n got %v\nwant %v", got, want)
			}
		})
	}
}

func (rec recording) request(t testing.TB) *http.Request {
	t.Helper()
	body := ""
	if rec.Request.Raw != nil {
		body = *rec.Request.Raw
	} else if string(rec.Request.Body) != "null" {
		body = string(rec.Request.Body)
	}
	r := httptest.NewRequestWithContext(t.Context(), rec.Request.Method, rec.Request.Path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	switch rec.Auth {
	case "admin":
		r.SetBasicAuth(AdminUsername, AdminPassword)
	case "subscriber":
		r.SetBasicAuth(SubscriberUsername, SubscriberPassword)
	case "bad":
		r.SetBasicAuth(AdminUsername, "wrong")
	case "none":
	default:
		t.Fatalf("no such account: %q", rec.Auth)
	}
	return r
}

// tokens returns the names and values of a JSON text in their order, which is the same in every response of the store.
func tokens(t testing.TB, data []byte) []json.Token {
	t.Helper()
	var all []json.Token
	dec := json.NewDecoder(bytes.NewReader(data))
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("%v in %q", err, data)
		}
		all = append(all, token)
	}
}

// takeUpdatedAt returns the time of the write in a response, and blanks it, because it differs from the recorded one.
func takeUpdatedAt(t testing.TB, response []json.Token) time.Time {
	t.Helper()
	value := 1 + slices.Index(response, json.Token("updated_at"))
	if value == 0 {
		t.Fatalf("no updated_at in %v", response)
	}
	at, err := time.Parse(responseTime, response[value].(string))
	if err != nil {
		t.Error(err)
	}
	response[value] = ""
	return at
}

func rowsByColumn(t testing.TB, store *Store) map[string]map[string]any {
	t.Helper()
	rows := map[string]map[string]any{}
	for _, row := range store.Rows() {
		data, err := json.Marshal(row)
		if err != nil {
			t.Fatal(err)
		}
		var columns map[string]any
		if err := json.Unmarshal(data, &columns); err != nil {
			t.Fatal(err)
		}
		delete(columns, "updated_at") // the recordings leave it out
		rows[strconv.FormatInt(row.ID, 10)] = columns
	}
	return rows
}

func rowChanges(before, after map[string]map[string]any) map[string]map[string][2]any {
	changes := map[string]map[string][2]any{}
	for id, columns := range after {
		for column, value := range columns {
			old := before[id][column]
			if reflect.DeepEqual(old, value) {
				continue
			}
			if changes[id] == nil {
				changes[id] = map[string][2]any{}
			}
			changes[id][column] = [2]any{old, value}
		}
	}
	return changes
}
