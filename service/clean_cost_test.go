package service

import (
	"math"
	"strings"
	"testing"
	"time"
)

// A text may be as long as a request, and hold what a cleaning by rounds makes work of without end.
func TestCleaningTakesTimeInProportion(t *testing.T) {
	for _, row := range []struct{ name, once string }{
		{"octets within octets", "%"}, // followed by as many pairs of digits
		{"styles that do not end around scripts that do", "<style><script></script>"},
		{"scripts that do not end around styles that do", "<script><style></style>"},
		{"scripts that have no end", "<script>"},
		{"tags that are not closed", "<a"},
		{"tags", "<a>"},
		{"spaces", " \t"},
	} {
		t.Run(row.name, func(t *testing.T) {
			const small, times = 4 << 10, 16
			of := func(size int) string {
				if row.once == "%" {
					return strings.Repeat("%", size/3) + strings.Repeat("41", size/3)
				}
				return strings.Repeat(row.once, size/len(row.once))
			}
			short, long := fastest(of(small)), fastest(of(small*times))
			t.Logf("%v for %d bytes, %v for %d times as many", short, small, long, times)
			if long > 4*times*max(short, 10*time.Microsecond) { // where it grows with the square it is 16 times that of short ones
				t.Error("it takes more than in proportion")
			}
		})
	}
}

func fastest(text string) time.Duration {
	least := time.Duration(math.MaxInt64)
	for range 3 {
		start := time.Now()
		clean(text)
		least = min(least, time.Since(start))
	}
	return least
}

// How much is allocated tells without a clock whether a text is copied again and again.
func TestCleaningDoesNotCopyATextForEachThingInIt(t *testing.T) {
	const most = 200
	text := strings.Repeat("%", 2000) + strings.Repeat("41", 2000)
	if allocations := testing.AllocsPerRun(1, func() { clean(text) }); allocations > most {
		t.Errorf("%.0f allocations, want %d at the most", allocations, most)
	}
}
