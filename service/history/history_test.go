package history

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/sandbox"
)

type fields = map[string]string

// start is the row of every customer before the run.
func start() fields {
	return fields{"city": "Start", "status": "active", "email": "ann@example.com", "full_name": "Ann Lee"}
}

// at returns the time of a second of the run.
func at(second float64) time.Time {
	return time.Date(2026, time.December, 1, 9, 0, 0, 0, time.UTC).Add(time.Duration(second * float64(time.Second)))
}

// call returns a call that lasts from one second to another.
func call(id int, from, to float64, outcome Outcome, asked fields) Call {
	return Call{ID: id, Customer: 7, Fields: asked, Begin: at(from), End: at(to), Outcome: outcome}
}

// answered returns the call with an answer that shows start, overwritten with the values.
func (c Call) answered(values fields) Call {
	c.After = with(start(), values)
	return c
}

// readLater returns the call with an answer that was read at some time after its write.
func (c Call) readLater() Call {
	c.ReadLater = true
	return c
}

func with(values, over fields) fields {
	values = maps.Clone(values)
	maps.Copy(values, over)
	return values
}

// history is the log of a store that received the given bodies.
type history struct {
	rows   map[int64]sandbox.Row
	writes []sandbox.Write
}

// write replaces customer 7's whole row, as a PUT does (F2).
func (h *history) write(second float64, sent fields) {
	h.writeTo(7, second, sent)
}

func (h *history) writeTo(customer int64, second float64, sent fields) {
	if h.rows == nil {
		h.rows = map[int64]sandbox.Row{}
	}
	before, ok := h.rows[customer]
	if !ok {
		before = row(start())
	}
	after := row(sent)
	h.rows[customer] = after
	h.writes = append(h.writes, sandbox.Write{
		Customer: customer, Received: at(second), Applied: at(second), Before: before, After: after, Sent: sent,
	})
}

func row(sent fields) sandbox.Row {
	text := func(field string) *string {
		if s, ok := sent[field]; ok {
			return &s
		}
		return nil
	}
	first, last, _ := strings.Cut(sent["full_name"], " ")
	return sandbox.Row{
		Email: sent["email"], FirstName: first, LastName: last, Notes: sent["notes"], Status: text("status"),
		City: text("city"), State: text("state"), Country: text("country"), Postcode: text("postcode"),
	}
}

// wantLines expects one line for each text, in their order. A line must hold all parts of its text, which are separated
// by "…".
func wantLines(t testing.TB, got []string, want ...string) {
	t.Helper()
	matches := slices.EqualFunc(got, want, func(line, text string) bool {
		for part := range strings.SplitSeq(text, "…") {
			if !strings.Contains(line, part) {
				return false
			}
		}
		return true
	})
	if !matches {
		t.Errorf("lines\n got %s\nwant %s", strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
}
