package companion

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// row is a customer's row: the text of each column, or nil.
type row map[string]*string

// columns are those that an update may change.
var columns = []string{"email", "first_name", "last_name", "city", "state", "country", "postcode", "status", "notes", "user_id"}

func (r row) text(column string) string {
	if r[column] != nil {
		return *r[column]
	}
	if column == "user_id" {
		return "0"
	}
	return ""
}

// version returns what the companion's protocol defines as the version of a row.
func (r row) version(t testing.TB) string {
	t.Helper()
	var content strings.Builder
	for _, column := range columns[:len(columns)-1] {
		fmt.Fprintf(&content, "%d:%s\n", len(r.text(column)), r.text(column))
	}
	fmt.Fprintf(&content, "%s\n", r.text("user_id"))
	if updated := r.text("updated_at"); updated != "" {
		at, err := time.Parse(time.DateTime, updated)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(&content, at.Unix())
	}
	hash := sha256.Sum256([]byte(content.String()))
	return base64.RawURLEncoding.EncodeToString(hash[:16])
}

// differences returns the columns that differ.
func differences(a, b row) []string {
	var changed []string
	for _, column := range columns {
		if a.text(column) != b.text(column) {
			changed = append(changed, column)
		}
	}
	return changed
}

// addCustomers adds customers with the ids from first on, each linked to a WordPress account.
func (s *Store) addCustomers(t testing.TB, first, count int) {
	t.Helper()
	from := fmt.Sprintf("FROM seq_%d_to_%d", first, first+count-1)
	s.sql(t, "INSERT INTO wp_users (ID, user_login, user_nicename, user_email, display_name) SELECT seq, CONCAT('user', seq), CONCAT('user', seq), CONCAT('user', seq, '@example.com'), 'Ann Lee' %s", from)
	s.sql(t, "INSERT INTO wp_usermeta (user_id, meta_key, meta_value) SELECT seq, meta_key, IF(meta_key = 'nickname', CONCAT('user', seq), meta_value) FROM seq_%d_to_%d, "+
		"(SELECT 'nickname' AS meta_key, '' AS meta_value UNION SELECT 'first_name', 'Ann' UNION SELECT 'last_name', 'Lee' UNION SELECT 'description', '' UNION SELECT 'rich_editing', 'true' "+
		"UNION SELECT 'syntax_highlighting', 'true' UNION SELECT 'comment_shortcuts', 'false' UNION SELECT 'admin_color', 'fresh' UNION SELECT 'use_ssl', '0' "+
		"UNION SELECT 'show_admin_bar_front', 'true' UNION SELECT 'locale', '') meta", first, first+count-1)
	s.sql(t, "INSERT INTO wp_fct_customers (id, user_id, email, first_name, last_name, status, aov, notes, city, country, created_at, updated_at) "+
		"SELECT seq, seq, CONCAT('user', seq, '@example.com'), 'Ann', 'Lee', 'active', 83, 'none', 'Paris', 'FR', '2025-06-10 09:15:00', '2025-06-10 09:15:00' %s", from)
}

// sql runs a statement past WordPress, and returns its rows.
func (s *Store) sql(t testing.TB, format string, arguments ...any) []map[string]*string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/sql", bytes.NewReader(fmt.Appendf(nil, format, arguments...)))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	var rows []map[string]*string
	if err := json.Unmarshal(content, &rows); err != nil {
		t.Fatalf("%s: %s", fmt.Sprintf(format, arguments...), content)
	}
	return rows
}

// row returns the customer's row.
func (s *Store) row(t testing.TB, customer int) row {
	t.Helper()
	return s.sql(t, "SELECT * FROM wp_fct_customers WHERE id = %d", customer)[0]
}
