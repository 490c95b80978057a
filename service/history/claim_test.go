package history

import "testing"

func TestFalseClaims(t *testing.T) {
	one := func(outcome Outcome) []Call {
		c := call(1, 0, 2, outcome, fields{"city": "c1", "notes": "n1"})
		c.Code = "CODE"
		return []Call{c}
	}
	whole := with(start(), fields{"city": "c1", "notes": "n1"})
	tests := []struct {
		name  string
		calls []Call
		run   func(*history)
		want  []string
	}{
		{"OK, and it was written", one(Written), func(h *history) { h.write(1, whole) }, nil},
		{"not written, and it was not", one(NotWritten), func(*history) {}, nil},
		{"unknown, and it was written", one(Unknown), func(h *history) { h.write(9, whole) }, nil},
		{"unknown, and it was not", one(Unknown), func(*history) {}, nil},
		{
			"OK, but it was not written", one(Written), func(*history) {},
			[]string{"call 1 (CODE) to customer 7 was answered OK, but was not written"},
		},
		{
			"OK, but it was written in part", one(Written),
			func(h *history) { h.write(1, with(start(), fields{"city": "c1"})) },
			[]string{"was answered OK, but was not written"},
		},
		{
			"OK, but it was written to another customer", one(Written),
			func(h *history) { h.writeTo(8, 1, whole) },
			[]string{"was answered OK, but was not written"},
		},
		{
			"OK before it was written", one(Written), func(h *history) { h.write(3, whole) },
			[]string{"was answered OK at 09:00:02…written at 09:00:03"},
		},
		{
			"not written, but it was", one(NotWritten), func(h *history) { h.write(1, whole) },
			[]string{"call 1 (CODE)…nothing was written, but was written at 09:00:01"},
		},
		{
			"not written, but it was later", one(NotWritten), func(h *history) { h.write(9, whole) },
			[]string{"nothing was written, but was written at 09:00:09"},
		},
		{
			"not written, but it was in part", one(NotWritten),
			func(h *history) { h.write(1, with(start(), fields{"notes": "n1"})) },
			[]string{"nothing was written, but was written"},
		},
		{
			"OK, and only an older value of it was in another call's write",
			[]Call{
				call(1, 0, 2, Written, fields{"city": "c1"}),
				call(2, 2, 4, Written, fields{"notes": "n2"}),
				call(3, 4, 6, Written, fields{"state": "s3"}),
			},
			func(h *history) {
				h.write(1, with(start(), fields{"city": "c1"}))
				h.write(3, with(start(), fields{"city": "c1", "notes": "n2"}))
			},
			[]string{"call 3…was not written"},
		},
		{
			"calls that cannot be distinguished",
			append(one(Written), one(Written)...), func(h *history) { h.write(1, whole) },
			[]string{"cannot check…city", "cannot check…notes"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var h history
			tt.run(&h)
			wantLines(t, FalseClaims(tt.calls, h.writes), tt.want...)
		})
	}
}
