package redact_test

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	customerv1 "github.com/fluentcart-gateway/fluentcart-gateway/gen/fluentcart/customer/v1"
	"github.com/fluentcart-gateway/fluentcart-gateway/service/redact"
)

// longest is as long as the notes of a request may be.
const longest = 62 << 10

// longTexts are notes that make much work, each in its own way.
func longTexts(size int) map[string]string {
	of := func(piece func(i int) string) string {
		var text strings.Builder
		for i := 0; text.Len() < size; i++ {
			text.WriteString(piece(i))
		}
		return text.String()
	}
	return map[string]string{
		"words":                 of(func(i int) string { return "w" + strconv.Itoa(i) + " " }),
		"numbers":               of(func(i int) string { return strconv.Itoa(10_000+i) + " " }),
		"a sentence of scripts": of(func(i int) string { return string(rune(0x4e00 + i*7919%20_000)) }),
		"letters with cases":    of(func(i int) string { return string(rune(0x430 + i*7919%32)) }),
		"the store's own words": of(func(int) string { return "you are not allowed to do that " }),
		"%-encoded":             of(func(int) string { return "%41%20" }),
		"%-encoded four times":  of(func(int) string { return "%25252541" }),
		"escaped for HTML":      of(func(int) string { return "&amp;amp;amp;" }),
		"escaped for JSON":      of(func(int) string { return `\u0041` }),
		"single letters":        of(func(int) string { return "a " }),
	}
}

// aboutNotes looks for notes in what a store says.
func aboutNotes(notes string) []bool {
	return redact.ValuesOf(&customerv1.UpdateCustomerRequest{Customer: &customerv1.Customer{Notes: proto.String(notes)}}).
		InEach("rest_forbidden", "Sorry, the number 4711 and 客户不存在 do not let that be done.")
}

// Whoever sends calls that the store refuses makes the gateway look for all that they hold in what the store says. It
// must not make anything of each word.
func TestLookingForALongTextMakesLittle(t *testing.T) {
	const most = 400
	for name, notes := range longTexts(longest) {
		if made := testing.AllocsPerRun(5, func() { aboutNotes(notes) }); made > most {
			t.Errorf("%s: %.0f allocations, want %d at the most", name, made, most)
		}
	}
}

func TestLookingForALongTextTakesTimeInProportion(t *testing.T) {
	const times = 16
	long := longTexts(longest)
	for name, short := range longTexts(longest / times) {
		once, often := fastest(short), fastest(long[name])
		t.Logf("%s: %v, and %v for %d times as many", name, once, often, times)
		if often > 4*times*max(once, 10*time.Microsecond) {
			t.Errorf("%s: %v, and %v for %d times as many", name, once, often, times)
		}
	}
}

func fastest(notes string) time.Duration {
	least := time.Duration(math.MaxInt64)
	for range 3 {
		start := time.Now()
		aboutNotes(notes)
		least = min(least, time.Since(start))
	}
	return least
}

func TestEachTextIsToldApart(t *testing.T) {
	values := redact.ValuesOf(&customerv1.UpdateCustomerRequest{Customer: ann()})
	got := values.InEach("Customer not found.", "ann.cook exists", "", "the user Ann-Sophie", "again ann.cook exists", "country de", "DE")
	want := []bool{false, true, false, true, true, false, true}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("text %d: %t", i, got[i])
		}
	}
}

// BenchmarkRefusal measures what the gateway does to hide a request in what the store says to it, and nothing else.
func BenchmarkRefusal(b *testing.B) {
	for name, notes := range longTexts(longest) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				aboutNotes(notes)
			}
		})
	}
}
