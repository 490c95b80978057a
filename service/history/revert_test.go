package history

import "testing"

func TestReverts(t *testing.T) {
	tests := []struct {
		name  string
		calls []Call
		run   func(*history)
		want  []string
	}{
		{
			"each call changes what it names",
			[]Call{
				call(1, 0, 2, Written, fields{"city": "c1"}),
				call(2, 2, 4, Written, fields{"notes": "n2", "state": "s2"}),
				call(3, 4, 6, Written, fields{"city": "c3"}),
			},
			func(h *history) {
				h.write(1, with(start(), fields{"city": "c1"}))
				h.write(3, with(start(), fields{"city": "c1", "notes": "n2", "state": "s2"}))
				h.write(5, with(start(), fields{"city": "c3", "notes": "n2", "state": "s2"}))
			},
			nil,
		},
		{
			"a full name changes both names",
			[]Call{call(1, 0, 2, Written, fields{"full_name": "Eve Poe"})},
			func(h *history) { h.write(1, with(start(), fields{"full_name": "Eve Poe"})) },
			nil,
		},
		{
			"absent text may become empty text",
			[]Call{call(1, 0, 2, Written, fields{"city": "c1"})},
			func(h *history) { h.write(1, with(start(), fields{"city": "c1", "state": ""})) },
			nil,
		},
		{
			"one write may be of several calls",
			[]Call{call(1, 0, 2, Written, fields{"city": "c1"}), call(2, 0, 2, Written, fields{"notes": "n2"})},
			func(h *history) { h.write(1, with(start(), fields{"city": "c1", "notes": "n2"})) },
			nil,
		},
		{
			"two calls that both read before either wrote",
			[]Call{call(1, 0, 3, Written, fields{"city": "c1"}), call(2, 0, 3, Written, fields{"notes": "n2"})},
			func(h *history) {
				h.write(1, with(start(), fields{"city": "c1"}))
				h.write(2, with(start(), fields{"notes": "n2"}))
			},
			[]string{`of call 2 changed columns that it did not name: city from "c1" to "Start"`},
		},
		{
			"a late write puts another call's older value back",
			[]Call{
				call(1, 0, 1, Written, fields{"city": "c1"}),
				call(2, 1, 2, Unknown, fields{"notes": "n2"}),
				call(3, 2, 3, Written, fields{"city": "c3"}),
			},
			func(h *history) {
				h.write(1, with(start(), fields{"city": "c1"}))
				h.write(3, with(start(), fields{"city": "c3"}))
				h.write(9, with(start(), fields{"city": "c1", "notes": "n2"})) // the row that call 2 read
			},
			[]string{`09:00:09…of call 2 changed…city from "c3" to "c1"`},
		},
		{
			"a column that was left out is cleared",
			[]Call{call(1, 0, 2, Written, fields{"city": "c1"})},
			func(h *history) {
				h.write(1, fields{"city": "c1", "email": "ann@example.com", "full_name": "Ann Lee"})
			},
			[]string{`of call 1 changed…status from "active" to ""`},
		},
		{
			"a write that belongs to no call",
			[]Call{call(1, 0, 1, Written, fields{"city": "c1"})},
			func(h *history) { h.write(1, with(start(), fields{"city": "other"})) },
			[]string{`belongs to no call: city from "Start" to "other"`},
		},
		{
			"a call that is applied twice in a row",
			[]Call{call(1, 0, 3, Written, fields{"city": "c1"})},
			func(h *history) {
				h.write(1, with(start(), fields{"city": "c1"}))
				h.write(2, with(start(), fields{"city": "c1"}))
			},
			[]string{"09:00:02…applies call 1 a second time"},
		},
		{
			"a call that is applied again over a newer one",
			[]Call{call(1, 0, 9, Written, fields{"city": "c1"}), call(2, 2, 4, Written, fields{"city": "c2"})},
			func(h *history) {
				h.write(1, with(start(), fields{"city": "c1"}))
				h.write(3, with(start(), fields{"city": "c2"}))
				h.write(8, with(start(), fields{"city": "c1"}))
			},
			[]string{`applies call 1 a second time: city from "c2" to "c1"`},
		},
		{
			"a call in progress is the one that is applied again",
			[]Call{call(1, 0, 6, Written, fields{"city": "c1"}), call(2, 2, 4, Written, fields{"notes": "n2"})},
			func(h *history) {
				h.write(1, with(start(), fields{"city": "c1"}))
				h.write(3, with(start(), fields{"city": "c1", "notes": "n2"}))
				h.write(5, with(start(), fields{"city": "c1", "notes": "n2"}))
			},
			[]string{"applies call 1 a second time"},
		},
		{
			"a write of a part of a call",
			[]Call{call(1, 0, 1, Written, fields{"city": "c1", "notes": "n1"})},
			func(h *history) { h.write(1, with(start(), fields{"city": "c1"})) },
			[]string{"carries call 1 to the wrong customer or incompletely"},
		},
		{
			"a write to another customer",
			[]Call{call(1, 0, 1, Written, fields{"city": "c1"})},
			func(h *history) { h.writeTo(8, 1, with(start(), fields{"city": "c1"})) },
			[]string{"customer 8…carries call 1 to the wrong customer"},
		},
		{
			"calls that cannot be distinguished",
			[]Call{call(1, 0, 1, Written, fields{"city": "c1"}), call(2, 0, 1, Written, fields{"city": "c1"})},
			func(h *history) { h.write(1, with(start(), fields{"city": "c1"})) },
			[]string{`cannot check: call 1 and call 2 both ask for city "c1"`},
		},
		{
			"a call that asks for nothing",
			[]Call{call(1, 0, 1, Written, nil)},
			func(*history) {},
			[]string{"cannot check: call 1 asks for nothing"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var h history
			tt.run(&h)
			wantLines(t, Reverts(tt.calls, h.writes), tt.want...)
		})
	}
}
