package companion

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/fluentcart-gateway/fluentcart-gateway/tools/gatewaytest"
)

func TestOutcomeIsExact(t *testing.T) {
	s := StartWordPress(t, Plugin)
	t.Run("the connection is lost at any statement", func(t *testing.T) { connectionLost(t, s) })
	t.Run("the process is killed at any statement", func(t *testing.T) { processKilled(t, s) })
	t.Run("the client is gone, and cancels", func(t *testing.T) { clientGone(t, s) })
}

// statements returns the statements of an update's transaction, and whatever follows them.
func (s *Store) statements(t testing.TB, customer int) []string {
	t.Helper()
	s.call(t.Context(), http.MethodGet, "", nil, nil) // The first request notes that the application password is used.
	var all []string
	ended := make(chan struct{})
	s.Gate.Add("statements", &Rule{Ended: ended, At: func(n int, statement string) bool {
		if n > 0 {
			all = append(all, statement)
		}
		return false
	}})
	s.post(t.Context(), s.URL, "statements", customer, newID())
	<-ended
	for i, statement := range all {
		if statement == "COMMIT" {
			return all[:i+1]
		}
	}
	t.Fatalf("no COMMIT in %q", all)
	return nil
}

// post sends an update of the city through the gate.
func (s *Store) post(ctx context.Context, url, name string, customer int, id string) answer {
	at := *s
	at.URL = url
	return at.call(ctx, http.MethodPost, fmt.Sprintf("customers/%d", customer), fields{"request_id": id, "set": fields{"city": "Lyon"}}, http.Header{"X-Gate": {name}})
}

// connectionLost cuts the connection to the database before and after each statement of an update.
func connectionLost(t *testing.T, s *Store) {
	const first = 1000
	s.addCustomers(t, first, 200)
	all := s.statements(t, first)
	outcomes := newTally()
	inParallel(2*len(all), func(i int) {
		n, after, customer := i/2+1, i%2 == 1, first+1+i
		name := fmt.Sprintf("lost-%d-%t", n, after)
		before := s.row(t, customer)
		ended := make(chan struct{})
		s.Gate.Add(name, &Rule{At: func(at int, _ string) bool { return at == n }, After: after, Cut: true, Ended: ended})
		id := newID()
		post := s.post(t.Context(), s.URL, name, customer, id)
		<-ended
		o := s.settle(t.Context(), id, post)
		if wrong := o.wrong(t, before, s.row(t, customer)); wrong != "" || o.result() == "unknown" {
			t.Errorf("the connection is lost at %q (after it: %t): %s, but %s", all[n-1], after, o.result(), wrong)
		}
		outcomes.add(o)
	})
	t.Logf("%d statements: %v", len(all), outcomes)
}

// processKilled kills the process of PHP, by SIGKILL, before and after each statement of an update.
func processKilled(t *testing.T, s *Store) {
	const kills, first = 50, 2000
	s.addCustomers(t, first, 200)
	all := s.statements(t, first)
	outcomes := newTally()
	inParallel(max(kills, 2*len(all)), func(i int) {
		n, after, customer := i/2%len(all)+1, i%2 == 1, first+1+i
		name := fmt.Sprintf("killed-%d", i)
		before := s.row(t, customer)
		address := gatewaytest.FreeAddress(t)
		server := s.serve(t, address, 1)
		ended := make(chan struct{})
		s.Gate.Add(name, &Rule{At: func(at int, _ string) bool { return at == n }, After: after, Cut: true, Do: func() { _ = server.Process.Kill() }, Ended: ended})
		id := newID()
		post := s.post(t.Context(), "http://"+address, name, customer, id)
		<-ended
		o := s.settle(t.Context(), id, post)
		if wrong := o.wrong(t, before, s.row(t, customer)); wrong != "" || o.result() == "unknown" {
			t.Errorf("killed at %q (after it: %t): %s, but %s", all[n-1], after, o.result(), wrong)
		}
		outcomes.add(o)
	})
	t.Log(outcomes)
}

// clientGone leaves 100 updates, and cancels each: one half while they run, the other before they begin.
func clientGone(t *testing.T, s *Store) {
	const each, first = 50, 3000
	s.addCustomers(t, first, 2*each+1)
	all := s.statements(t, first+2*each)
	outcomes := newTally()
	inParallel(2*each, func(i int) {
		running, customer := i < each, first+i
		n := 1
		if running {
			n = i%len(all) + 1
		}
		before := s.row(t, customer)
		reached, release, ended := make(chan struct{}), make(chan struct{}), make(chan struct{})
		name, cancelName, id := fmt.Sprintf("gone-%d", i), fmt.Sprintf("cancel-%d", i), newID()
		s.Gate.Add(name, &Rule{At: func(at int, _ string) bool { return at == n }, Ended: ended, Do: func() {
			close(reached)
			<-release
		}})
		ctx, leave := context.WithCancel(t.Context())
		left := make(chan struct{})
		go func() {
			s.post(ctx, s.URL, name, customer, id)
			close(left)
		}()
		<-reached
		leave()
		<-left
		if running { // Its next statement and the cancellation's are sent at the same time.
			s.Gate.Add(cancelName, &Rule{At: func(_ int, statement string) bool {
				return strings.HasPrefix(statement, "INSERT INTO wp_fluentcart_gateway")
			}, Do: func() { close(release) }})
		}
		cancelled := s.call(t.Context(), http.MethodDelete, "requests/"+id, nil, http.Header{"X-Gate": {cancelName}})
		if !running {
			close(release)
		}
		<-ended
		o := outcome{cancel: cancelled}
		if wrong := o.wrong(t, before, s.row(t, customer)); wrong != "" || o.result() == "unknown" {
			t.Errorf("cancelled while %q waits: %s, but %s", all[n-1], cancelled.raw, wrong)
		}
		if !running && cancelled.Result != "cancelled" {
			t.Errorf("cancelled before it began: %s", cancelled.raw)
		}
		if again := s.settle(t.Context(), id, answer{}); again.cancel.Result != cancelled.Result {
			t.Errorf("cancelled again: %s after %s", again.cancel.raw, cancelled.raw)
		}
		outcomes.add(o)
	})
	t.Log(outcomes)
}
