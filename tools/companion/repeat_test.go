package companion

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
)

func repeatedRequests(t *testing.T, s *Store) {
	id, key, late := newID(), newID(), newID()
	post := func(id string, more fields) answer {
		body := fields{"request_id": id, "set": fields{"city": "Oslo"}}
		for name, value := range more {
			body[name] = value
		}
		return s.rest(t.Context(), http.MethodPost, "/?rest_route=/fluentcart-gateway/v1/customers/1", body, nil)
	}
	remove := func(id string) answer { return s.call(t.Context(), http.MethodDelete, "requests/"+id, nil, nil) }
	keyed := fields{"key": key, "fingerprint": "ü1"}
	for i, step := range []struct {
		does string
		got  func() answer
		want string
	}{
		{"an update", func() answer { return post(id, keyed) }, "applied"},
		{"the same again", func() answer { return post(id, keyed) }, "already_applied"},
		{"in upper case", func() answer { return post(strings.ToUpper(id), keyed) }, "already_applied"},
		{"another attempt with the key", func() answer { return post(newID(), keyed) }, "already_applied"},
		{"the key with other content", func() answer { return post(newID(), fields{"key": key, "fingerprint": "2"}) }, "key_reused"},
		{"its cancellation", func() answer { return remove(id) }, "already_applied"},
		{"its cancellation in upper case", func() answer { return remove(strings.ToUpper(id)) }, "already_applied"},
		{"the cancellation of a request to come", func() answer { return remove(late) }, "cancelled"},
		{"again", func() answer { return remove(late) }, "cancelled"},
		{"that request", func() answer { return post(late, fields{"set": fields{"city": "Nice"}}) }, "cancelled"},
		{"a request that changes nothing", func() answer { return post(newID(), nil) }, "returned"},
		{"with a key", func() answer { return post(newID(), fields{"key": newID(), "fingerprint": "3"}) }, "applied"},
	} {
		a := step.got()
		if !a.marked() || a.Result != step.want || a.ID != strings.ToLower(a.ID) {
			t.Fatalf("%d, %s: %s", i, step.does, a.raw)
		}
		if a.Result == "already_applied" && (!slices.Equal(a.Changed, []string{"city"}) || a.Customer["city"] != "Oslo") {
			t.Errorf("%d, %s: %s", i, step.does, a.raw)
		}
	}
	s.sql(t, "DELETE FROM wp_fct_customers WHERE id = 1")
	if a := remove(id); a.Result != "already_applied" || a.Customer != nil {
		t.Errorf("the customer is gone: %s", a.raw)
	}
	// Rows of more than a day are pruned, and no row has anything of the customer but the id.
	s.sql(t, "UPDATE wp_fluentcart_gateway_requests SET created_at = UTC_TIMESTAMP() - INTERVAL 25 HOUR")
	if a := s.update(t.Context(), 2, fields{"city": "Oslo"}); a.Result != "applied" {
		t.Fatal(a.raw)
	}
	waitFor(t, "pruning", func() bool { return len(s.sql(t, "SELECT * FROM wp_fluentcart_gateway_requests")) == 1 })
	kept, _ := json.Marshal(s.sql(t, "SELECT customer_id, request_key, fingerprint, state, changed FROM wp_fluentcart_gateway_requests"))
	if string(kept) != `[{"changed":"city","customer_id":"2","fingerprint":"","request_key":null,"state":"applied"}]` {
		t.Errorf("the table has %s", kept)
	}
}
