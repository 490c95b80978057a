package companion

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
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
	content.WriteString("\n")
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

// outcome is what the companion says about an update: the POST's answer if it is marked, otherwise the answer to a DELETE.
type outcome struct {
	post, cancel answer
}

// settle asks what became of an update if its answer is not marked.
func (s *Store) settle(ctx context.Context, id string, post answer) outcome {
	o := outcome{post: post}
	for try := 0; try < 3 && !post.marked() && !o.cancel.marked(); try++ {
		o.cancel = s.call(ctx, http.MethodDelete, "requests/"+id, nil, nil)
	}
	return o
}

// result is the outcome in one word; "unknown" if no answer was marked.
func (o outcome) result() string {
	switch {
	case o.post.marked():
		return cmp.Or(o.post.Cause, o.post.Result)
	case o.cancel.marked():
		return "unmarked, then " + o.cancel.Result
	}
	return "unknown"
}

// wrong compares the outcome with the row before and after, and returns what is wrong, or "".
func (o outcome) wrong(t testing.TB, before, after row) string {
	t.Helper()
	changed := differences(before, after)
	says := o.post
	if !says.marked() {
		says = o.cancel
	}
	switch {
	case !says.marked():
		return ""
	case says.Result != "applied" && says.Result != "already_applied":
		if before.version(t) != after.version(t) {
			return fmt.Sprintf("%v changed", changed)
		}
	case !slices.Equal(says.Changed, changed):
		return fmt.Sprintf("%v changed", changed)
	case says.Result == "applied" && says.Version != after.version(t):
		return "the version is not that of the row"
	}
	return ""
}

// tally counts outcomes.
type tally struct {
	mu    sync.Mutex
	count map[string]int
}

func newTally() *tally { return &tally{count: map[string]int{}} }

func (c *tally) add(o outcome) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count[o.result()]++
}

// String is the text for the log of a test.
func (c *tally) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return fmt.Sprint(c.count)
}

// inParallel calls do for each number below count, three at a time.
func inParallel(count int, do func(i int)) {
	next := make(chan int)
	var workers sync.WaitGroup
	for range 3 {
		workers.Go(func() {
			for i := range next {
				do(i)
			}
		})
	}
	for i := range count {
		next <- i
	}
	close(next)
	workers.Wait()
}
