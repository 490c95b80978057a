package history

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// searchLimit is longer than any search of these tests takes. A search that grows exponentially fails.
const searchLimit = 30 * time.Second

func TestLinearizable(t *testing.T) {
	c1, n2 := fields{"city": "c1"}, fields{"notes": "n2"}
	both := fields{"city": "c1", "notes": "n2"}
	tests := []struct {
		name  string
		calls []Call
		want  string // part of the error
	}{
		{"no calls", nil, ""},
		{
			"one after another",
			[]Call{call(1, 0, 1, Written, c1).answered(c1), call(2, 2, 3, Written, n2).answered(both)},
			"",
		},
		{
			"calls at once may take any order",
			[]Call{call(1, 0, 3, Written, c1).answered(both), call(2, 0, 3, Written, n2).answered(n2)},
			"",
		},
		{
			"a lost update",
			[]Call{call(1, 0, 1, Written, c1).answered(c1), call(2, 2, 3, Written, n2).answered(n2)},
			`the best explains 1 and comes to {city="c1"`,
		},
		{
			"a lost update of calls at once",
			[]Call{call(1, 0, 3, Written, c1).answered(c1), call(2, 0, 3, Written, n2).answered(n2)},
			"no order of 2 calls explains their answers",
		},
		{
			"an answer that lacks the call's own value",
			[]Call{call(1, 0, 1, Written, c1).answered(nil)},
			`then call 1, which asked for map[city:c1], answers {city="Start"`,
		},
		{
			"an answer that shows a call which began later",
			[]Call{call(1, 0, 1, Written, c1).answered(both), call(2, 2, 3, Written, n2).answered(both)},
			"no order of 2 calls",
		},
		{
			"answers that were read later",
			[]Call{call(1, 0, 3, Written, c1).answered(both).readLater(), call(2, 0, 3, Written, n2).answered(both).readLater()},
			"",
		},
		{
			"an answer that was read later and lacks an earlier call",
			[]Call{call(1, 0, 1, Written, c1).answered(c1), call(2, 2, 3, Written, n2).answered(n2).readLater()},
			"no order of 3 calls",
		},
		{
			"a value that comes back",
			[]Call{
				call(1, 0, 1, Written, c1).answered(c1),
				call(2, 2, 3, Written, fields{"city": "c2"}).answered(fields{"city": "c2"}),
				call(3, 4, 5, Written, n2).answered(both),
			},
			"the best explains 2",
		},
		{
			"an unknown call that no answer shows",
			[]Call{call(1, 0, 1, Unknown, c1), call(2, 2, 3, Written, n2).answered(n2)},
			"",
		},
		{
			"an unknown call that an answer shows",
			[]Call{call(1, 0, 1, Unknown, c1), call(2, 2, 3, Written, n2).answered(both)},
			"",
		},
		{
			"an unknown call that is applied between two others",
			[]Call{
				call(1, 0, 1, Unknown, c1),
				call(2, 2, 3, Written, n2).answered(n2),
				call(3, 4, 5, Written, fields{"state": "s3"}).answered(with(both, fields{"state": "s3"})),
			},
			"",
		},
		{
			"an unknown call that one answer shows and the next does not",
			[]Call{
				call(1, 0, 1, Unknown, c1),
				call(2, 2, 3, Written, n2).answered(both),
				call(3, 4, 5, Written, fields{"state": "s3"}).answered(with(n2, fields{"state": "s3"})),
			},
			"then call 3",
		},
		{
			"an unknown call that an answer shows in part",
			[]Call{
				call(1, 0, 1, Unknown, fields{"city": "c1", "state": "s1"}),
				call(2, 2, 3, Written, n2).answered(both),
			},
			"no order of 2 calls",
		},
		{
			"an unknown call of which another call has overwritten a part",
			[]Call{
				call(1, 0, 1, Unknown, fields{"city": "c1", "notes": "n1"}),
				call(2, 2, 3, Written, n2).answered(both),
			},
			"",
		},
		{
			"an unknown call that an answer shows before it began",
			[]Call{call(1, 4, 5, Unknown, c1), call(2, 2, 3, Written, n2).answered(both)},
			"a value of call 1 was answered before the call began",
		},
		{
			"a call that wrote nothing and no answer shows",
			[]Call{call(1, 0, 1, NotWritten, c1), call(2, 2, 3, Written, n2).answered(n2)},
			"",
		},
		{
			"a call that wrote nothing and an answer shows",
			[]Call{call(1, 0, 1, NotWritten, c1), call(2, 2, 3, Written, n2).answered(both)},
			"no order of 1 calls",
		},
		{
			"fields that no answer shows",
			[]Call{
				call(1, 0, 1, Written, fields{"email": "e1@example.com"}).answered(nil),
				call(2, 2, 3, Unknown, fields{"full_name": "Eve Poe"}),
			},
			"",
		},
		{
			"values that are not unique",
			[]Call{call(1, 0, 1, Written, c1).answered(c1), call(2, 2, 3, Unknown, c1)},
			"cannot check: call 1 and call 2",
		},
		{
			"a value that the row had before the run",
			[]Call{call(1, 0, 1, Written, fields{"city": "Start"}).answered(nil)},
			"cannot check: call 1 asks for the city that customer 7 began with",
		},
		{
			"times in the wrong order",
			[]Call{call(1, 2, 1, Written, c1).answered(c1)},
			"cannot check: call 1 ends before it begins",
		},
		{
			"a customer without a row before the run",
			[]Call{{ID: 1, Customer: 5, Fields: c1}},
			"cannot check: the row of customer 5",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			wantError(t, Linearizable(tt.calls, map[int64]map[string]string{7: start()}, searchLimit), tt.want)
		})
	}
}

func TestCustomersAreCheckedSeparately(t *testing.T) {
	var calls []Call
	initial := map[int64]map[string]string{}
	for id := range int64(3) {
		initial[id] = start()
		asked := fields{"city": fmt.Sprint("c", id)}
		c := call(int(id), 0, 1, Written, asked).answered(asked)
		c.Customer = id
		calls = append(calls, c)
	}
	wantError(t, Linearizable(calls, initial, 0), "")

	calls[1].After = start()
	err := Linearizable(calls, initial, 0)
	wantError(t, err, "customer 1: no order")
	if err != nil && strings.Contains(err.Error(), "\n") {
		t.Errorf("one customer is at fault, error %q", err)
	}
}

func TestLinearizableChecksTwoThousandConcurrentCalls(t *testing.T) {
	initial := map[int64]map[string]string{7: start()}
	calls := concurrentCalls(2000)
	wantError(t, Linearizable(calls, initial, searchLimit), "")

	// One answer of two thousand lacks one value.
	for i := len(calls) / 2; i < len(calls); i++ {
		if calls[i].Outcome == Written && calls[i].After["city"] != calls[i].Fields["city"] {
			calls[i].After["city"] = "Start"
			break
		}
	}
	wantError(t, Linearizable(calls, initial, searchLimit), "no order")
}

func TestSearchBeyondItsLimitIsInconclusive(t *testing.T) {
	err := Linearizable(concurrentCalls(2000), map[int64]map[string]string{7: start()}, time.Nanosecond)
	wantError(t, err, "customer 7: inconclusive")
}

// concurrentCalls returns a linearizable history of one customer with about twenty calls at any time. One call in five is
// unknown, and one in ten has no effect.
func concurrentCalls(n int) []Call {
	random := rand.New(rand.NewPCG(1, 2))
	row := start()
	calls := make([]Call, n)
	for i := range calls {
		field := stateFields[random.IntN(len(stateFields))]
		c := call(i, float64(i)-20*random.Float64(), float64(i)+20*random.Float64(), Written, fields{field: fmt.Sprint("v", i)})
		if random.IntN(5) == 0 {
			c.Outcome, c.End = Unknown, c.Begin
		}
		if random.IntN(10) == 0 {
			c.Outcome = []Outcome{Unknown, NotWritten}[random.IntN(2)]
		} else {
			row = with(row, c.Fields)
		}
		if c.Outcome == Written {
			c.After = with(row, nil)
		}
		calls[i] = c
	}
	return calls
}

func wantError(t testing.TB, err error, part string) {
	t.Helper()
	switch {
	case part == "" && err != nil:
		t.Errorf("error %v, want none", err)
	case part != "" && (err == nil || !strings.Contains(err.Error(), part)):
		t.Errorf("error %v, want one with %q", err, part)
	}
}
