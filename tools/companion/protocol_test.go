package companion

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestProtocol(t *testing.T) {
	s := StartWordPress(t, Plugin)
	t.Run("updates", func(t *testing.T) { updates(t, s) })
	t.Run("refusals are those of FluentCart", func(t *testing.T) { refusals(t, s) })
	t.Run("requests that WordPress refuses", func(t *testing.T) { invalidRequests(t, s) })
	t.Run("repeated requests", func(t *testing.T) { repeatedRequests(t, s) })
}

// Customers of the fixture: 1 is linked to no account, 2 to that of bob, 3 to one that does not exist, 4 has many columns that are NULL.
func updates(t *testing.T, s *Store) {
	first := s.row(t, 1).version(t)
	for _, test := range []struct {
		name     string
		customer int
		body     fields // without request_id
		want     answer // what of it is not empty
	}{
		{"an empty set is a locked read", 1, fields{"set": fields{}}, answer{Result: "returned", Why: "unchanged", Version: first}},
		{"an empty if_match is a locked read", 1, fields{"set": fields{"city": "Lyon"}, "if_match": []string{}}, answer{Result: "returned", Why: "if_match", Version: first}},
		{"another version is returned", 1, fields{"set": fields{"city": "Lyon"}, "if_match": []string{"AAAAAAAAAAAAAAAAAAAAAA"}}, answer{Result: "returned", Why: "if_match"}},
		{"a column is changed, and nothing else", 1, fields{"set": fields{"city": "Lyon"}, "if_match": []string{"x", first}}, answer{Result: "applied", Changed: []string{"city"}}},
		{"the same values are unchanged", 1, fields{"set": fields{"city": "Lyon", "full_name": "Ann Lee", "user_id": 0}}, answer{Result: "returned", Why: "unchanged"}},
		{"a column is cleared", 1, fields{"set": fields{"state": ""}}, answer{Result: "applied", Changed: []string{"state"}}},
		{"an empty text is that of NULL", 4, fields{"set": fields{"city": "", "status": ""}}, answer{Result: "returned", Why: "unchanged"}},
		{"other columns stay NULL", 4, fields{"set": fields{"notes": "new"}}, answer{Result: "applied", Changed: []string{"notes"}}},
		{"a first name of two words stays in its column", 4, fields{"set": fields{"first_name": "Anne Marie", "last_name": "de Groot"}}, answer{Result: "applied", Changed: []string{"first_name", "last_name"}}},
		{"such names stay when another column is changed", 4, fields{"set": fields{"city": "Lyon"}}, answer{Result: "applied", Changed: []string{"city"}}},
		{"the same full name is unchanged", 4, fields{"set": fields{"full_name": "Anne Marie de Groot"}}, answer{Result: "returned", Why: "unchanged"}},
		{"another full name is parted at its last space", 4, fields{"set": fields{"full_name": "Dan van Dyk"}}, answer{Result: "applied", Changed: []string{"first_name", "last_name"}}},
		{"a full name of one word is a first name", 4, fields{"set": fields{"full_name": "Dan"}}, answer{Result: "applied", Changed: []string{"first_name", "last_name"}}},
		{"a text that is cut is kept", 1, fields{"set": fields{"postcode": strings.Repeat("7", 60)}}, answer{Result: "applied", Changed: []string{"postcode"}}},
		{"a kept column is not changed", 1, fields{"set": fields{"status": "inactive", "city": "Nice"}, "keep": []string{"status", "user_id"}}, answer{Result: "returned", Why: "keep"}},
		{"a kept column with its own value is no matter", 1, fields{"set": fields{"status": "active", "city": "Nice"}, "keep": []string{"status", "user_id"}}, answer{Result: "applied", Changed: []string{"city"}}},
		{"a customer is linked", 1, fields{"set": fields{"user_id": 3}}, answer{Result: "applied", Changed: []string{"user_id"}}},
		{"a customer is unlinked", 1, fields{"set": fields{"user_id": 0}}, answer{Result: "applied", Changed: []string{"user_id"}}},
		{"the e-mail of a linked customer stays", 2, fields{"set": fields{"email": "other@example.com"}}, answer{Result: "returned", Why: "email"}},
		{"FluentCart refuses an e-mail that is taken", 1, fields{"set": fields{"email": "bob@example.com"}}, answer{Result: "refused"}},
		{"FluentCart refuses a customer of an account that is gone", 3, fields{"set": fields{"city": "Lyon"}}, answer{Result: "refused"}},
		{"there is no such customer", 999, fields{"set": fields{"city": "Lyon"}}, answer{Result: "missing"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var before row
			if test.customer != 999 {
				before = s.row(t, test.customer)
			}
			id := newID()
			test.body["request_id"] = id
			got := s.call(t.Context(), http.MethodPost, fmt.Sprintf("customers/%d", test.customer), test.body, nil)
			if !got.marked() || got.Result != test.want.Result || got.Why != test.want.Why || !slices.Equal(got.Changed, test.want.Changed) || test.want.Version != "" && got.Version != test.want.Version {
				t.Fatalf("got %d %s", got.status, got.raw)
			}
			if test.customer == 999 {
				return
			}
			after := s.row(t, test.customer)
			if o := (outcome{post: got}); o.wrong(t, before, after) != "" {
				t.Errorf("%s: %s", o.wrong(t, before, after), got.raw)
			}
			if got.Before != nil && cmp.Diff(before, got.Before) != "" {
				t.Errorf("the row before: %s", cmp.Diff(before, got.Before))
			}
			if got.Customer != nil {
				checkCustomer(t, after, got.Customer)
			}
			// NULL stays NULL, and the average order value stays.
			for _, column := range append([]string{"aov"}, columns...) {
				if !slices.Contains(got.Changed, column) && cmp.Diff(before[column], after[column]) != "" {
					t.Errorf("%s is changed: %s", column, cmp.Diff(before[column], after[column]))
				}
			}
		})
	}
}

// checkCustomer compares a customer as FluentCart presents it with the row.
func checkCustomer(t testing.TB, want row, got map[string]any) {
	t.Helper()
	for _, column := range append([]string{"aov"}, columns...) {
		var text any
		if want[column] != nil {
			text = *want[column]
		}
		if got[column] != text {
			t.Errorf("the customer's %s is %v, the row's %v", column, got[column], text)
		}
	}
	if name := strings.TrimSpace(want.text("first_name") + " " + want.text("last_name")); got["full_name"] != name || fmt.Sprint(got["id"]) != want.text("id") {
		t.Errorf("the customer is %v, %v", got["id"], got["full_name"])
	}
}

func refusals(t *testing.T, s *Store) {
	for _, test := range []struct {
		name     string
		customer int
		set      fields
		status   int
		body     string
	}{
		{"a rule is broken", 1, fields{"email": "bob@example.com"}, 422, `{"email":{"exist":"Email already exists."}}`},
		{"an account cannot be updated", 3, fields{"city": "Lyon"}, 500, `{"code":423,"message":"Failed to update user.","data":null}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := s.row(t, test.customer)
			got := s.update(t.Context(), test.customer, test.set)
			if got.Result != "refused" || got.Answer.Status != test.status || string(got.Answer.Body) != test.body || cmp.Diff(before, got.Before) != "" {
				t.Errorf("got %s", got.raw)
			}
			if diff := cmp.Diff(before, s.row(t, test.customer)); diff != "" {
				t.Errorf("the row is changed: %s", diff)
			}
		})
	}
}
