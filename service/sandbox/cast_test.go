package sandbox

import "testing"

func TestCastInt(t *testing.T) {
	for in, want := range map[string]int64{
		"": 0, "7": 7, "-7": -7, "12abc": 12, "abc": 0, "-": 0, "99999999999999999999": 1<<63 - 1,
	} {
		if got := castInt(in); got != want {
			t.Errorf("castInt(%q) = %d, want %d", in, got, want)
		}
	}
}
