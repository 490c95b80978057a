package sandbox

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestResetRestoresWhatWasChanged(t *testing.T) {
	store := New(Config{Customers: 1})
	t.Cleanup(store.Close)
	before := store.Rows()
	wantStatus(t, put(t, store, 1, ann(fields{"city": "Lyon"})), http.StatusOK)
	wantStatus(t, put(t, store, 2, fields{"id": 2, "full_name": "Rob Ray", "email": "bob@example.com"}), http.StatusOK)
	store.Reset()

	after := store.Rows()
	if diff := cmp.Diff(before, after, cmpopts.IgnoreFields(Row{}, "UpdatedAt")); diff != "" {
		t.Errorf("rows (-at the start +after the reset):\n%s", diff)
	}
	for i := range after {
		isRestored := after[i].ID == 1 || after[i].ID == 2
		if got := after[i].UpdatedAt.After(before[i].UpdatedAt); got != isRestored {
			t.Errorf("customer %d: new updated_at: %v, want %v", after[i].ID, got, isRestored)
		}
	}
	if got := store.accounts[2].DisplayName; got != "Bob Ray" {
		t.Errorf("the name of the account is %q", got)
	}
}

// A client takes a row that is older than what it has seen for one from a cache, also within one second.
func TestEachResetMakesTheRowLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := New(Config{})
		wantStatus(t, put(t, store, 1, ann(fields{"city": "Lyon"})), http.StatusOK)
		written := rowOf(t, store, 1).UpdatedAt
		store.Reset()
		if got := rowOf(t, store, 1).UpdatedAt; !got.After(written) {
			t.Errorf("written at %v, and reset to %v", written, got)
		}
	})
}

func TestResetDropsLateWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := New(Config{Fail: always(Failure{Work: Late, LateBy: time.Minute})})
		put(t, store, 1, ann(fields{"city": "Lyon"}))
		store.Reset()
		store.Wait()
		wantCity(t, store, "Paris")
		put(t, store, 1, ann(fields{"city": "Lyon"}))
		store.Wait()
		wantCity(t, store, "Lyon")
	})
}
