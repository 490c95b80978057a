package customer

import (
	"strings"
	"testing"

	"github.com/fluentcart-gateway/fluentcart-gateway/service/fluentcart"
)

// A write is recognized in what the store makes of its texts (F9, F10, F28).
func TestWritesAreRecognizedAsTheStoreSanitizesThem(t *testing.T) {
	for _, row := range []struct{ name, field, asked, stored string }{
		{"as it was asked for", "notes", "5 > 4", "5 > 4"},
		{"a less-than sign as an entity", "notes", "5 < 6", "5 &lt; 6"},
		{"a heart", "notes", "i <3 you", "i &lt;3 you"},
		{"quotes behind the sign", "notes", `a < "b"`, "a &lt; &quot;b&quot;"},
		{"an arrow at the end", "state", "west <-", "west &lt;-"},
		{"a country", "country", "<", "&lt;"},
		{"a postcode", "postcode", "<100", "&lt;100"},
		{"a status", "status", "a<b", "a&lt;b"},
		{"an entity that the column truncates", "state", strings.Repeat("x", 44) + "<", strings.Repeat("x", 44) + "&"},
		{"an entity that pushes the end out of the column", "postcode", "<" + strings.Repeat("é", 44), "&lt;" + strings.Repeat("é", 41)},
		{"tags", "notes", "a <b>b</b>", "a b"},
	} {
		t.Run(row.name, func(t *testing.T) {
			before := &fluentcart.Customer{ID: 1, Email: "ann@example.com", FirstName: "Ann"}
			m, err := changeOf(t, map[string]string{row.field: row.asked}).Merge(before)
			if err != nil {
				t.Fatal(err)
			}
			after := *before
			id, _ := fieldNamed(row.field)
			fields[id].set(&after, value{text: row.stored})
			if !m.AppliedIn(&after) {
				t.Error("the write is not recognized")
			}
			if m.AppliedIn(before) {
				t.Error("the customer as it was before counts as written")
			}
			response := m.Response(&after)
			if cleaned := len(response.GetWarnings()) == 1 && response.GetWarnings()[0].GetReason().String() == "REASON_CLEANED"; cleaned != (row.asked != row.stored) {
				t.Errorf("warnings: %v", response.GetWarnings())
			}
		})
	}
}

// A plug-in may show texts of digits as numbers (F14). A write of such a text is recognized in the number.
func TestWriteOfDigitsIsRecognizedInTheNumberThatIsShown(t *testing.T) {
	for _, row := range []struct {
		name, asked, shown string
		applied            bool
	}{
		{"a zero in front", "01067", "1067", true},
		{"an exponent", "1E5", "100000.0", true},
		{"the same digits", "75001", "75001", true},
		{"another number", "01067", "1068", false},
		{"no number", "SW1A", "0", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			before := &fluentcart.Customer{ID: 1, Email: "ann@example.com", FirstName: "Ann", Postcode: new("9"), Uncertain: []fluentcart.UncertainColumn{{Name: "postcode", ShownAs: "a number"}}}
			m, err := changeOf(t, map[string]string{"postcode": row.asked}).Merge(before)
			if err != nil {
				t.Fatal(err)
			}
			after := *before
			after.Postcode = &row.shown
			if m.AppliedIn(&after) != row.applied {
				t.Errorf("recognized: %v", !row.applied)
			}
			if warnings := m.Response(&after).GetWarnings(); (len(warnings) == 0) != row.applied {
				t.Errorf("warnings: %v", warnings)
			}
		})
	}
}
