package sandbox

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestExtraCustomersAreUnlinkedAndComplete(t *testing.T) {
	store := New(Config{Customers: 3})
	ids := []int64{}
	for _, row := range store.Rows() {
		ids = append(ids, row.ID)
	}
	if diff := cmp.Diff([]int64{1, 2, 3, 4, 1001, 1002, 1003}, ids); diff != "" {
		t.Fatalf("customers (-want +got)\n%s", diff)
	}

	// Unlinked: the e-mail can change (F7). Complete: a write of the same values changes nothing.
	same := fields{
		"id": 1003, "email": "customer-1003@example.com", "full_name": "Customer 1003", "status": "active",
		"city": "Start", "aov": "100.00",
	}
	before := rowOf(t, store, 1003)
	wantStatus(t, put(t, store, 1003, same), http.StatusOK)
	if diff := cmp.Diff(before, rowOf(t, store, 1003)); diff != "" {
		t.Errorf("a write of the same values changed the row (-want +got)\n%s", diff)
	}
	same["email"] = "new@example.com"
	wantStatus(t, put(t, store, 1003, same), http.StatusOK)
	if got := rowOf(t, store, 1003).Email; got != "new@example.com" {
		t.Errorf("e-mail %q", got)
	}
}
