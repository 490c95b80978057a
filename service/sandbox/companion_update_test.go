package sandbox

import (
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestAppliedUpdateAnswersTheRowBeforeAndAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := New(Config{Companion: true, KeepLog: true})
		before := rowOf(t, store, 1)
		answer := postSet(t, store, 1, 1, fields{"city": newCity, "state": "IDF", "notes": ""})

		want := before
		want.City, want.Notes, want.UpdatedAt = new(newCity), "", time.Now().UTC()
		after := rowOf(t, store, 1)
		if diff := cmp.Diff(want, after); diff != "" {
			t.Errorf("row (-want +got):\n%s", diff)
		}
		wantResult(t, answer, "applied")
		if got := answer["version"]; got != Version(after) || got == Version(before) {
			t.Errorf("version %v, want %s", got, Version(after))
		}
		if diff := cmp.Diff([]any{"city", "notes"}, answer["changed"]); diff != "" {
			t.Errorf("changed (-want +got):\n%s", diff)
		}
		raw := map[string]any{
			"id": "1", "user_id": nil, "contact_id": "0", "email": "ann@example.com", "first_name": "Ann", "last_name": "Lee",
			"status": "active", "purchase_value": `{"USD":24900}`, "purchase_count": "3", "ltv": "24900",
			"first_purchase_date": "2025-06-10 09:15:00", "last_purchase_date": "2025-09-20 14:30:00", "aov": "8300.00",
			"notes": "prefers email", "uuid": strings.Repeat("1", 32), "country": "FR", "city": "Paris", "state": "IDF",
			"postcode": "75001", "created_at": "2025-06-10 09:15:00", "updated_at": "2025-09-20 14:30:00",
		}
		if diff := cmp.Diff(raw, answer["before"]); diff != "" {
			t.Errorf("before (-want +got):\n%s", diff)
		}
		var read struct{ Customer map[string]any }
		unmarshal(t, send(t, store, http.MethodGet, customerPath(1), ""), &read)
		delete(read.Customer, "labels")
		delete(read.Customer, "selected_labels")
		if diff := cmp.Diff(read.Customer, answer["customer"]); diff != "" {
			t.Errorf("customer (-as GET reads it +got):\n%s", diff)
		}
		write := Write{
			Customer: 1, Received: time.Now(), Applied: time.Now(), Before: before, After: after, Atomic: true,
			Sent: map[string]string{"city": newCity, "notes": ""},
		}
		if diff := cmp.Diff([]Write{write}, store.Writes()); diff != "" {
			t.Errorf("writes (-want +got):\n%s", diff)
		}
	})
}

func TestUnchangedColumnsKeepTheirNull(t *testing.T) {
	store := New(Config{Companion: true})
	before := rowOf(t, store, 4)
	wantResult(t, postSet(t, store, 4, 1, fields{"notes": "new", "city": "", "status": "", "user_id": 0}), "applied")
	want := before
	want.Notes = "new"
	if diff := cmp.Diff(want, rowOf(t, store, 4), cmpopts.IgnoreFields(Row{}, "UpdatedAt")); diff != "" {
		t.Errorf("row (-want +got):\n%s", diff)
	}
}

func TestRowIsReturnedIfNothingMayBeWritten(t *testing.T) {
	store := New(Config{Companion: true, KeepLog: true})
	version := Version(rowOf(t, store, 1))
	tests := []struct {
		name     string
		customer int64
		body     fields
		why      string // empty: it is written
	}{
		{"nothing to set", 1, fields{"set": fields{}}, "unchanged"},
		{"the values that the row has", 1, fields{"set": fields{"city": "Paris", "full_name": "Ann Lee", "user_id": 0}}, "unchanged"},
		{"a column to keep", 1, fields{"set": fields{"city": "Lyon", "status": "archived"}, "keep": []string{"user_id", "status"}}, "keep"},
		{"a link to keep", 1, fields{"set": fields{"user_id": 3}, "keep": []string{"user_id", "status"}}, "keep"},
		{"no version", 1, fields{"set": fields{"city": "Lyon"}, "if_match": []string{}}, "if_match"},
		{"another version", 1, fields{"set": fields{"city": "Lyon"}, "if_match": []string{Version(rowOf(t, store, 2))}}, "if_match"},
		{"another version, and nothing to set", 1, fields{"set": fields{}, "if_match": []string{"old"}}, "if_match"},
		{"the e-mail of a linked customer", 2, fields{"set": fields{"email": "new@example.com", "city": "Lyon"}}, "email"},
		{"a column to keep that is not changed", 1, fields{"set": fields{"city": "Lyon", "status": "active"}, "keep": []string{"status"}}, ""},
		{"one of the versions", 1, fields{"set": fields{"city": "Lyon"}, "if_match": []string{"old", version}}, ""},
		{"the e-mail that a linked customer has", 2, fields{"set": fields{"email": "bob@example.com", "city": "Lyon"}}, ""},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			store.Reset()
			version = Version(rowOf(t, store, 1))
			if tt.name == "one of the versions" {
				tt.body["if_match"] = []string{"old", version}
			}
			before, writes := rowOf(t, store, tt.customer), len(store.Writes())
			tt.body["request_id"] = attemptID(i)
			answer := post(t, store, tt.customer, tt.body)
			if tt.why == "" {
				wantResult(t, answer, "applied")
				return
			}
			wantResult(t, answer, "returned")
			if answer["why"] != tt.why || answer["version"] != Version(before) {
				t.Errorf("why %v, version %v, want %s and %s", answer["why"], answer["version"], tt.why, Version(before))
			}
			var read struct{ Customer map[string]any }
			unmarshal(t, send(t, store, http.MethodGet, customerPath(tt.customer)+"?params[customer_only]=yes", ""), &read)
			if diff := cmp.Diff(read.Customer, answer["customer"]); diff != "" {
				t.Errorf("customer (-as GET reads it +got):\n%s", diff)
			}
			wantNothingWritten(t, store, before, writes)
			wantResult(t, cancelUpdateOf(t, store, i), "cancelled")
		})
	}
}

func wantNothingWritten(t testing.TB, store *Store, before Row, writes int) {
	t.Helper()
	if diff := cmp.Diff(before, rowOf(t, store, before.ID)); diff != "" {
		t.Errorf("row (-before +after):\n%s", diff)
	}
	if got := store.Writes(); len(got) != writes {
		t.Errorf("it is in the log: %+v", got[writes:])
	}
}

func TestRefusedUpdateAnswersWhatFluentCartAnswers(t *testing.T) {
	tests := []struct {
		name     string
		config   Config
		customer int64
		set      fields
		status   float64
		body     any // of FluentCart
	}{
		{"an e-mail that is taken", Config{}, 1, fields{"email": "bob@example.com"}, 422, map[string]any{"email": map[string]any{"exist": "Email already exists."}}},
		{"a text with tags", Config{}, 1, fields{"city": "<b>Lyon</b>"}, 422, map[string]any{"city": map[string]any{"sanitizeText": "The city must be a valid text"}}},
		{"no name", Config{}, 1, fields{"first_name": "", "last_name": ""}, 422, map[string]any{"full_name": map[string]any{"required": "Full Name is required."}}},
		{"a WordPress user that does not exist", Config{}, 3, fields{"city": "Lyon"}, 500, map[string]any{"code": 423.0, "message": "Failed to update user.", "data": nil}},
		{"a fault", Config{Fail: always(Failure{Refusal: Rejected()})}, 1, fields{"city": "Lyon"}, 500, map[string]any{"code": 400.0, "message": "Customer not found, please reload the page and try again!", "data": nil}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.config.Companion, tt.config.KeepLog = true, true
			store := New(tt.config)
			before := rowOf(t, store, tt.customer)
			answer := postSet(t, store, tt.customer, 1, tt.set)
			wantResult(t, answer, "refused")
			if diff := cmp.Diff(map[string]any{"status": tt.status, "body": tt.body}, answer["answer"]); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
			if got, _ := answer["before"].(map[string]any); got["email"] != before.Email {
				t.Errorf("before %v", answer["before"])
			}
			wantNothingWritten(t, store, before, 0)
		})
	}
}

func TestUpdateOfACustomerThatDoesNotExist(t *testing.T) {
	wantResult(t, postSet(t, New(Config{Companion: true}), 999, 1, fields{"city": newCity}), "missing")
}

func TestNamesAreStoredInTheirParts(t *testing.T) {
	tests := []struct {
		name        string
		first, last string // stored
		set         fields
		wants       [2]string
		result      string
	}{
		{"another column", "Ann Marie", "de Groot", fields{"city": newCity}, [2]string{"Ann Marie", "de Groot"}, "applied"},
		{"the first name alone", "Ann Marie", "de Groot", fields{"first_name": "Eve"}, [2]string{"Eve", "de Groot"}, "applied"},
		{"the last name alone", "Ann", "Lee", fields{"last_name": "van Dyck"}, [2]string{"Ann", "van Dyck"}, "applied"},
		{"both parts and the full name", "Ann", "Lee", fields{"first_name": "Jo", "last_name": "de Groot", "full_name": "Jo de Groot"}, [2]string{"Jo", "de Groot"}, "applied"},
		{"the full name alone", "Ann", "Lee", fields{"full_name": "Jo de Groot"}, [2]string{"Jo de", "Groot"}, "applied"},
		{"the full name that the row has", "Ann Marie", "de Groot", fields{"full_name": "Ann Marie de Groot"}, [2]string{"Ann Marie", "de Groot"}, "returned"},
		{"one word", "Ann", "Lee", fields{"full_name": "Ann"}, [2]string{"Ann", ""}, "applied"},
		{"a last name without a first", "", "Lee", fields{"city": newCity}, [2]string{"", "Lee"}, "applied"},
		{"a full name that contradicts the parts", "Ann", "Lee", fields{"last_name": "Poe", "full_name": "Ann Roe"}, [2]string{"Ann", "Roe"}, "applied"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			store := New(Config{Companion: true, KeepLog: true})
			row := rowOf(t, store, 2) // linked, so that its account would be written too
			row.FirstName, row.LastName = tt.first, tt.last
			store.customers[2] = row
			answer := postSet(t, store, 2, 1, tt.set)
			wantResult(t, answer, tt.result)
			after := rowOf(t, store, 2)
			if got := [2]string{after.FirstName, after.LastName}; got != tt.wants {
				t.Errorf("names %q, want %q", got, tt.wants)
			}
			if customer, ok := answer["customer"].(map[string]any); ok && customer["first_name"] != tt.wants[0] {
				t.Errorf("the answer says %v", customer["first_name"])
			}
		})
	}
}

func TestUnaskedChangeIsRolledBack(t *testing.T) {
	store := New(Config{Companion: true, KeepLog: true})
	row := rowOf(t, store, 2)
	row.Notes, row.State = "two  spaces", new("<b>RM</b>") // FluentCart would sanitize both
	store.customers[2] = row
	account := store.accounts[2]
	answer := postSet(t, store, 2, 1, fields{"full_name": "Rob Ray"})
	wantResult(t, answer, "failed")
	if diff := cmp.Diff([]any{"state", "notes"}, answer["columns"]); diff != "" || answer["cause"] != "unasked_change" {
		t.Errorf("cause %v, columns (-want +got):\n%s", answer["cause"], diff)
	}
	wantNothingWritten(t, store, row, 0)
	if got := store.accounts[2]; got != account {
		t.Errorf("account %+v, want %+v", got, account)
	}
	wantResult(t, postSet(t, store, 2, 1, fields{"full_name": "Rob Ray", "state": "RM", "notes": "one space"}), "applied")
}

func TestStoreWithSplitNamesTakesTheParts(t *testing.T) {
	store := New(Config{Companion: true, SplitNames: true})
	wantResult(t, postSet(t, store, 1, 1, fields{"last_name": "de Groot"}), "applied")
	if row := rowOf(t, store, 1); row.FirstName != "Ann" || row.LastName != "de Groot" {
		t.Errorf("names %q %q", row.FirstName, row.LastName)
	}
}

func TestChangedColumnMayHoldAnotherValueThanAsked(t *testing.T) {
	store := New(Config{Companion: true})
	answer := postSet(t, store, 1, 1, fields{"notes": " a\n b ", "state": strings.Repeat("s", 50)})
	wantResult(t, answer, "applied")
	row := rowOf(t, store, 1)
	if row.Notes != "a b" || *row.State != strings.Repeat("s", 45) {
		t.Errorf("notes %q, state %q", row.Notes, *row.State)
	}
}

func TestConcurrentUpdatesOfOneCustomerAreOneChain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const updates = 50
		store := New(Config{Companion: true, KeepLog: true, Workers: 4, Latency: 33 * time.Millisecond})
		start := time.Now()
		var wg sync.WaitGroup
		columns := []string{"city", "state", "country", "postcode", "notes"}
		for i := range updates {
			wg.Go(func() {
				column := columns[i%len(columns)]
				if answer := postSet(t, store, 1, i, fields{column: fmt.Sprint(column, i)}); answer["result"] != "applied" {
					t.Errorf("update %d: %v", i, answer)
				}
			})
		}
		wg.Wait()
		// Each update holds a worker for the latency once, and holds up no other worker.
		if took, want := time.Since(start), 13*33*time.Millisecond; took != want {
			t.Errorf("took %v, want %v", took, want)
		}
		writes := store.Writes()
		if len(writes) != updates {
			t.Fatalf("%d writes", len(writes))
		}
		for i, w := range writes {
			if i > 0 && !reflect.DeepEqual(w.Before, writes[i-1].After) {
				t.Errorf("write %d does not follow the one before", i)
			}
			changed := differences(w.Before, w.After)
			if len(changed) != 1 || len(w.Sent) != 1 {
				t.Fatalf("write %d sent %v and changed %v", i, w.Sent, changed)
			}
			if stored, _ := w.After.column(changed[0]); w.Sent[changed[0]] != stored {
				t.Errorf("write %d sent %v and changed %v", i, w.Sent, changed)
			}
		}
	})
}

// The bytes are those of the protocol: lengths count bytes, and a NULL is an empty text.
func TestVersion(t *testing.T) {
	row := Row{Email: "a@b.co", FirstName: "É", City: new("x"), UserID: new(int64(7)), UpdatedAt: time.Unix(1700000000, 0)}
	// printf '6:a@b.co\n2:É\n0:\n1:x\n0:\n0:\n0:\n0:\n0:\n7\n1700000000' | openssl sha256 -binary | head -c 16 | basenc --base64url
	const want = "mR80bQv_YjMOvg9jBLXKZA"
	if got := Version(row); got != want {
		t.Errorf("version %s, want %s", got, want)
	}
	unlinked := row
	unlinked.UserID, unlinked.UpdatedAt = nil, time.Time{}
	zero := unlinked
	zero.UserID, zero.City, unlinked.City = new(int64(0)), nil, new("")
	if Version(unlinked) == want || Version(unlinked) != Version(zero) {
		t.Errorf("versions %s and %s of rows with NULL and with nothing", Version(unlinked), Version(zero))
	}
}
