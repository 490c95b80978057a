package companion

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

func TestFaultsOfPlugInsLeaveNoWrongOutcome(t *testing.T) {
	s := StartWordPress(t, Plugin)
	type run struct{ name, point, want string }
	var runs []run
	for _, f := range faults {
		for i, point := range points {
			runs = append(runs, run{f.name, point, f.want[i%len(f.want)]})
		}
	}
	for _, f := range loadFaults {
		runs = append(runs, run{f.name, "load", f.want[0]})
	}
	if len(faults) < 45 {
		t.Errorf("only %d faults", len(faults))
	}
	const first = 1000
	s.addCustomers(t, first, len(runs))
	outcomes := newTally()
	inParallel(len(runs), func(i int) {
		name, customer, id := runs[i].name+"-"+runs[i].point, first+i, newID()
		before := s.row(t, customer)
		post := s.call(t.Context(), http.MethodPost, fmt.Sprintf("customers/%d", customer), fields{"request_id": id, "set": fields{"city": "Lyon"}},
			http.Header{"X-Fault": {runs[i].name}, "X-Point": {runs[i].point}, "X-Gate": {name}})
		o := s.settle(t.Context(), id, post)
		if wrong := o.wrong(t, before, s.row(t, customer)); wrong != "" {
			t.Errorf("%s: %s, but %s: %s", name, o.result(), wrong, post.raw)
		}
		if o.result() != runs[i].want {
			t.Errorf("%s: %s instead of %s: %s", name, o.result(), runs[i].want, post.raw)
		}
		if _, err := os.Stat(filepath.Join(s.directory, "ran-"+name)); err != nil {
			t.Errorf("%s did not run: %s", name, post.raw)
		}
		outcomes.add(o)
	})
	t.Logf("%d faults at %d points: %v", len(faults), len(points), outcomes)
}
