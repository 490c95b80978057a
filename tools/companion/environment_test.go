package companion

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// index is what the companion says about itself.
type index struct {
	Mark    int      `json:"fluentcart_gateway"`
	Version string   `json:"version"`
	Ready   bool     `json:"ready"`
	Refuses []string `json:"refuses"`
	Store   struct{ WordPress, FluentCart, PHP, Database string }
}

func (s *Store) index(t testing.TB, header http.Header) index {
	t.Helper()
	a := s.call(t.Context(), http.MethodGet, "", nil, header)
	var i index
	if err := json.Unmarshal([]byte(a.raw), &i); err != nil || a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.raw)
	}
	return i
}

func TestMustUsePlugIn(t *testing.T) {
	s := StartWordPress(t, MustUse)
	t.Run("its index reports readiness", func(t *testing.T) { reportsReadiness(t, s) })
	t.Run("an update makes the table", func(t *testing.T) {
		s.sql(t, "DROP TABLE wp_fluentcart_gateway_requests")
		if a := s.update(t.Context(), 1, fields{"city": "Lyon"}); a.Result != "applied" {
			t.Errorf("got %s", a.raw)
		}
	})
	t.Run("a cancellation makes the table", func(t *testing.T) {
		s.sql(t, "DROP TABLE wp_fluentcart_gateway_requests")
		if a := s.call(t.Context(), http.MethodDelete, "requests/"+newID(), nil, nil); a.Result != "cancelled" {
			t.Errorf("got %s", a.raw)
		}
	})
}

func TestPlugIn(t *testing.T) {
	s := StartWordPress(t, Plugin)
	t.Run("mails are sent after the commit only", func(t *testing.T) { holdsMails(t, s) })
	t.Run("an object cache has nothing that was rolled back", func(t *testing.T) { cleansCaches(t, s) })
	t.Run("updates are refused where no transaction is possible", func(t *testing.T) { refusesUpdates(t, s) })
	t.Run("uninstalling drops the table", func(t *testing.T) { uninstalls(t, s) })
}

func reportsReadiness(t *testing.T, s *Store) {
	full := s.index(t, nil)
	if full.Mark != 1 || full.Version == "" || !full.Ready || full.Refuses == nil || len(full.Refuses) > 0 || full.Store.WordPress == "" || full.Store.Database == "" {
		t.Errorf("got %+v", full)
	}
	for _, path := range []string{"/wp-json/fluentcart-gateway/v1", "/?rest_route=/fluentcart-gateway/v1", "/?rest_route=/fluentcart-gateway/v1/"} {
		if a := s.rest(t.Context(), http.MethodGet, path, nil, nil); a.status != http.StatusOK || a.Mark != 1 {
			t.Errorf("%s: %d %s", path, a.status, a.raw)
		}
	}
	for who, header := range map[string]http.Header{"no account": {"Authorization": {"none"}}, "a subscriber": {"Authorization": {basic("sub", s.Subscriber)}}} {
		if i := s.index(t, header); i.Mark != 1 || !i.Ready || i.Refuses != nil || i.Store.Database != "" {
			t.Errorf("%s: %+v", who, i)
		}
	}
}

func refusesUpdates(t *testing.T, s *Store) {
	applied := newID()
	if a := s.call(t.Context(), http.MethodPost, "customers/1", fields{"request_id": applied, "set": fields{"city": "Lyon"}}, nil); a.Result != "applied" {
		t.Fatal(a.raw)
	}
	dropIn := filepath.Join(s.directory, "content", "db.php")
	for _, test := range []struct {
		code               string
		introduce, restore func()
	}{
		{"engine", func() { s.sql(t, "ALTER TABLE wp_usermeta ENGINE=MyISAM") }, func() { s.sql(t, "ALTER TABLE wp_usermeta ENGINE=InnoDB") }},
		{"db_dropin", func() {
			if err := os.WriteFile(dropIn, []byte("<?php class other_wpdb extends wpdb {} $wpdb = new other_wpdb( DB_USER, DB_PASSWORD, DB_NAME, DB_HOST );"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, func() { _ = os.Remove(dropIn) }},
	} {
		test.introduce()
		a := s.update(t.Context(), 1, fields{"city": "Nice"})
		if !a.marked() || a.Cause != "unsupported" || !slices.Equal(a.Reasons, []string{test.code}) {
			t.Errorf("%s: %s", test.code, a.raw)
		}
		if i := s.index(t, nil); i.Ready || !slices.Equal(i.Refuses, []string{test.code}) {
			t.Errorf("%s: %+v", test.code, i)
		}
		if a := s.call(t.Context(), http.MethodDelete, "requests/"+applied, nil, nil); a.Result != "already_applied" {
			t.Errorf("%s: cancelling answers %s", test.code, a.raw)
		}
		test.restore()
	}
	if city := s.row(t, 1).text("city"); city != "Lyon" {
		t.Errorf("the city is %s", city)
	}
	// A column that is no text in UTF-8 cannot be sent back to FluentCart.
	s.sql(t, "ALTER TABLE wp_fct_customers MODIFY state VARBINARY(45)")
	s.sql(t, "UPDATE wp_fct_customers SET state = x'ff' WHERE id = 1")
	if a := s.update(t.Context(), 1, fields{"city": "Nice"}); a.Result != "returned" || a.Why != "encoding" {
		t.Errorf("got %s", a.raw)
	}
}

func holdsMails(t *testing.T, s *Store) {
	send := func(fault, name string) answer {
		return s.call(t.Context(), http.MethodPost, "customers/2", fields{"request_id": newID(), "set": fields{"notes": name}}, http.Header{"X-Fault": {fault}, "X-Point": {"after"}, "X-Gate": {name}})
	}
	sent := func(name string) string {
		content, _ := os.ReadFile(filepath.Join(s.directory, "mail-"+name)) // a mail that was not sent is no file
		return string(content)
	}
	if a := send("mail-and-exit", "rolled-back"); a.Cause != "died" {
		t.Fatal(a.raw)
	}
	if a := send("mail", "committed"); a.Result != "applied" {
		t.Fatal(a.raw)
	}
	waitFor(t, "the mail", func() bool { return sent("committed") == "Changed\n" })
	if mail := sent("rolled-back"); mail != "" {
		t.Errorf("sent in spite of the rollback: %s", mail)
	}
}

func uninstalls(t *testing.T, s *Store) {
	tables := func() int { return len(s.sql(t, "SHOW TABLES LIKE 'wp_fluentcart_gateway_requests'")) }
	if tables() != 1 {
		t.Fatal("activation made no table")
	}
	const uninstall = `$_SERVER['HTTP_HOST'] = 'localhost'; require getenv('COMPANION_DIRECTORY') . '/config.php'; require_once ABSPATH . 'wp-admin/includes/plugin.php';
deactivate_plugins( 'fluentcart-gateway.php' ); uninstall_plugin( 'fluentcart-gateway.php' );`
	if output := run(t, s.php("-r", uninstall)); strings.TrimSpace(output) != "" {
		t.Error(output)
	}
	if tables() != 0 {
		t.Error("the table is still there")
	}
}

// cleansCaches renames the account of a customer in a transaction that an object cache outlives.
func cleansCaches(t *testing.T, s *Store) {
	cached := func(fault string) http.Header {
		return http.Header{"X-Cache": {"on"}, "X-Gate": {"cache"}, "X-Fault": {fault}, "X-Point": {"commit"}}
	}
	account := func() string {
		var user struct{ Name string }
		a := s.rest(t.Context(), http.MethodGet, "/wp-json/wp/v2/users/2?context=edit", nil, cached(""))
		if err := json.Unmarshal([]byte(a.raw), &user); err != nil || user.Name == "" {
			t.Fatal(a.raw)
		}
		return user.Name
	}
	update := func(fault string) answer {
		return s.call(t.Context(), http.MethodPost, "customers/2", fields{"request_id": newID(), "set": fields{"full_name": "Rob Roy"}}, cached(fault))
	}
	before := account()
	if a := update("account-read-and-400"); a.Result != "refused" || account() != before {
		t.Errorf("the account is %s after %s", account(), a.raw)
	}
	if a := update("account-read-and-exit"); a.Cause != "died" || account() != before {
		t.Errorf("the account is %s after %s", account(), a.raw)
	}
	if a := update(""); a.Result != "applied" || account() != "Rob Roy" {
		t.Errorf("the account is %s after %s", account(), a.raw)
	}
}
