package sandbox

import (
	"net/http"
	"reflect"
	"strings"
	"testing"
)

func TestLinkingOverwritesTheAccountWithTheNextWrite(t *testing.T) {
	store := New(Config{})
	admin := store.accounts[1]

	// The write that links does not change the account (F12).
	wantStatus(t, put(t, store, 1, ann(fields{"user_id": 1})), http.StatusOK)
	if got := store.accounts[1]; got != admin {
		t.Fatalf("linking changed the account: %+v", got)
	}

	// The next write overwrites it (F13), and keeps the customer's e-mail (F7).
	next := ann(fields{"user_id": 1, "email": "new@example.com", "full_name": "Eve Poe"})
	wantStatus(t, put(t, store, 1, next), http.StatusOK)
	want := admin
	want.Email, want.DisplayName = "ann@example.com", "Eve Poe"
	if got := store.accounts[1]; got != want {
		t.Errorf("account %+v, want %+v", got, want)
	}
	if got := rowOf(t, store, 1).Email; got != "ann@example.com" {
		t.Errorf("customer's e-mail %q", got)
	}
}

func TestUnlinkingStillWritesTheAccount(t *testing.T) {
	store := New(Config{})
	wantStatus(t, put(t, store, 2, fields{"id": 2, "email": "bob@example.com", "full_name": "Rob Ray"}), http.StatusOK)
	if got := store.accounts[2].DisplayName; got != "Rob Ray" {
		t.Errorf("display name %q, want Rob Ray", got)
	}
	if row := rowOf(t, store, 2); row.isLinked() {
		t.Errorf("still linked to %d", *row.UserID)
	}
}

func TestAccountUpdatesThatWordPressRefusesFailWith423(t *testing.T) {
	name50 := strings.TrimSpace(strings.Repeat("abcd ", 10)) + "e"
	tests := []struct {
		name   string
		fields fields
		status int
	}{
		{"a slug of 50 characters fits", fields{"full_name": name50}, 200},
		{"a slug of 51 does not", fields{"full_name": name50 + "f"}, 500},
		{"characters that a slug drops do not count", fields{"full_name": name50 + "'''"}, 200},
		{"accented letters are Latin", fields{"full_name": "Élodie Ñandú"}, 200},
		{"Cyrillic leaves no slug", fields{"full_name": "Иван Петров"}, 500},
		{"Chinese leaves no slug", fields{"full_name": "王小明"}, 500},
		{"one Latin letter is enough", fields{"full_name": "王小明 B"}, 200},
		{"a user_url of 101 characters", fields{"user_url": "https://" + strings.Repeat("a", 93)}, 500},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			store := New(Config{})
			before, account := rowOf(t, store, 2), store.accounts[2]
			f := fields{"id": 2, "email": "bob@example.com", "full_name": "Bob Ray", "user_id": 2}
			for name, value := range tt.fields {
				f[name] = value
			}
			wantStatus(t, put(t, store, 2, f), tt.status)
			if tt.status == http.StatusOK {
				return
			}
			if got := rowOf(t, store, 2); !reflect.DeepEqual(got, before) {
				t.Errorf("a refused write changed the row: %+v", got)
			}
			if got := store.accounts[2]; got != account {
				t.Errorf("a refused write changed the account: %+v", got)
			}
		})
	}
}
