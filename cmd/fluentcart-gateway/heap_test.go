package main

import "testing"

func TestHeapMayGrowByTheHeadroom(t *testing.T) {
	for _, row := range []struct {
		name  string
		inUse uint64
		want  int
	}{
		{"nothing is in use", 0, 400},
		{"a little", 2 << 20, 400},
		{"as much as the headroom", 12 << 20, 100},
		{"twice the headroom", 24 << 20, 50},
		{"so much that each collection is costly", 1 << 30, 50},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := gcPercent(row.inUse); got != row.want {
				t.Errorf("GOGC %d, want %d", got, row.want)
			}
		})
	}
}
