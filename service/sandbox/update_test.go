package sandbox

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestColumnsTruncateByCharacters(t *testing.T) {
	long := strings.Repeat("é", 200)
	tests := []struct {
		field, sent string
		kept        int
		stored      func(Row) string
	}{
		{"city", long, 45, func(r Row) string { return *r.City }},
		{"state", long, 45, func(r Row) string { return *r.State }},
		{"country", long, 45, func(r Row) string { return *r.Country }},
		{"postcode", long, 45, func(r Row) string { return *r.Postcode }},
		{"status", long, 45, func(r Row) string { return *r.Status }},
		{"first_name", long, 192, func(r Row) string { return r.FirstName }},
		{"last_name", long, 192, func(r Row) string { return r.LastName }},
		{"notes", long, 200, func(r Row) string { return r.Notes }},
		{"email", strings.Repeat("e", 200) + "@example.com", 192, func(r Row) string { return r.Email }},
	}
	for _, tt := range tests {
		t.Run(tt.field, func(t *testing.T) {
			store := New(Config{SplitNames: true})
			wantStatus(t, put(t, store, 1, ann(fields{"first_name": "Ann", tt.field: tt.sent})), http.StatusOK)
			want := string([]rune(tt.sent)[:tt.kept])
			if got := tt.stored(rowOf(t, store, 1)); got != want {
				t.Errorf("stored %q, want %q", got, want)
			}
		})
	}
}

func TestGetReturnsWhatPutWrote(t *testing.T) {
	store := New(Config{})
	written := put(t, store, 1, ann(fields{"city": "Lyon", "email": "lee@example.com", "country": "US", "state": "TX"}))
	wantStatus(t, written, http.StatusOK)
	var update struct{ Data map[string]any }
	unmarshal(t, written, &update)

	var read struct{ Customer map[string]any }
	unmarshal(t, send(t, store, http.MethodGet, customerPath(1), ""), &read)
	delete(read.Customer, "labels")
	delete(read.Customer, "selected_labels")
	if !reflect.DeepEqual(read.Customer, update.Data) {
		t.Errorf("GET and PUT differ\n got %v\nwant %v", read.Customer, update.Data)
	}
	address := read.Customer["formatted_address"].(map[string]any)
	if address["state"] != "Texas" || address["country"] != "United States" {
		t.Errorf("formatted_address %v", address)
	}
}

func TestUpdatedAtChangesWithTheRowOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := New(Config{})
		before := rowOf(t, store, 1)

		wantStatus(t, put(t, store, 1, ann(nil)), http.StatusOK)
		if after := rowOf(t, store, 1); !reflect.DeepEqual(after, before) {
			t.Errorf("a write of the same values changed the row\n got %+v\nwant %+v", after, before)
		}

		wantStatus(t, put(t, store, 1, ann(fields{"city": "Lyon"})), http.StatusOK)
		want := before
		want.City = new("Lyon")
		want.UpdatedAt = time.Now().UTC()
		if after := rowOf(t, store, 1); !reflect.DeepEqual(after, want) {
			t.Errorf("row\n got %+v\nwant %+v", after, want)
		}
	})
}

func TestAverageOrderValueIsADecimal(t *testing.T) {
	tests := []struct {
		name string
		sent any
		want any
	}{
		{"a decimal as text", "8300.00", "8300.00"},
		{"a number", 8300, "8300.00"},
		{"three decimals", "0.125", "0.13"},
		{"not a number", "much", "0.00"},
		{"null", nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := put(t, New(Config{}), 1, ann(fields{"aov": tt.sent}))
			wantStatus(t, w, http.StatusOK)
			var update struct{ Data map[string]any }
			unmarshal(t, w, &update)
			if got := update.Data["aov"]; got != tt.want {
				t.Errorf("aov %v, want %v", got, tt.want)
			}
		})
	}
}

func TestRowsAreCopies(t *testing.T) {
	store := New(Config{})
	want := rowOf(t, store, 1)
	for _, row := range store.Rows() {
		if row.City != nil {
			*row.City = "overwritten"
		}
		if len(row.PurchaseValue) > 0 {
			row.PurchaseValue[0] = '!'
		}
	}
	if got := rowOf(t, store, 1); !reflect.DeepEqual(got, want) {
		t.Errorf("the caller changed the store\n got %+v\nwant %+v", got, want)
	}
}

func unmarshal(t testing.TB, w *httptest.ResponseRecorder, v any) {
	t.Helper()
	if err := json.Unmarshal(w.Body.Bytes(), v); err != nil {
		t.Fatalf("%v in %q", err, w.Body)
	}
}

func TestLoneLessThanIsStoredEscaped(t *testing.T) {
	store := New(Config{})
	const text = "5 < 6"
	wantStatus(t, put(t, store, 1, ann(fields{
		"notes": text, "state": text, "country": text, "postcode": text, "status": text,
	})), http.StatusOK)
	row := rowOf(t, store, 1)
	for column, got := range map[string]string{
		"notes": row.Notes, "state": *row.State, "country": *row.Country, "postcode": *row.Postcode, "status": *row.Status,
	} {
		if got != "5 &lt; 6" {
			t.Errorf("%s %q (F28)", column, got)
		}
	}
}
