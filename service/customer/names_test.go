package customer

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// changeOf returns a change that names these text fields.
func changeOf(t *testing.T, given map[string]string) *Change {
	t.Helper()
	c := &Change{}
	for name, text := range given {
		id, ok := fieldNamed(name)
		if !ok {
			t.Fatalf("no field %s", name)
		}
		c.values[id], c.named[id] = value{text: text}, true
	}
	return c
}

func TestNamesAreMergedSoThatBothKindsOfStoreAgree(t *testing.T) {
	type names map[string]string
	for _, row := range []struct {
		name        string
		given       names
		first, last string
		problem     bool
	}{
		{"nothing given keeps both", names{}, "Ann", "Lee", false},
		{"a full name gives its last word to the last name", names{"full_name": "Mary Ann van Dyke"}, "Mary Ann van", "Dyke", false},
		{"the stored full name changes nothing", names{"full_name": " Ann Lee "}, "Ann", "Lee", false},
		{"a full name of one word has no last name", names{"full_name": "Cher"}, "Cher", "", false},
		{"outer spaces are ignored", names{"full_name": "  Zoë Quill "}, "Zoë", "Quill", false},
		{"no-break and ideographic spaces do not split", names{"full_name": "Mary\u00a0Ann van\u3000Dyke\u00a0"}, "Mary\u00a0Ann", "van\u3000Dyke\u00a0", false},
		{"a first name alone keeps the last", names{"first_name": "Zoë"}, "Zoë", "Lee", false},
		{"a last name alone keeps the first", names{"last_name": "Quill"}, "Ann", "Quill", false},
		{"an empty last name clears it", names{"last_name": ""}, "Ann", "", false},
		{"both parts", names{"first_name": "Mary Ann", "last_name": "van Dyke"}, "Mary Ann", "van Dyke", false},
		{"a first name says where the full name splits", names{"full_name": "Mary Ann van Dyke", "first_name": "Mary Ann"}, "Mary Ann", "van Dyke", false},
		{"a last name says where the full name splits", names{"full_name": "Mary Ann van Dyke", "last_name": "van Dyke"}, "Mary Ann", "van Dyke", false},
		{"a full name that is its first name", names{"full_name": "Cher", "first_name": "Cher"}, "Cher", "", false},
		{"an empty last name makes the whole name the first", names{"full_name": "Mary Ann", "last_name": ""}, "Mary Ann", "", false},
		{"all three agreeing", names{"full_name": "Zoë Quill", "first_name": "Zoë", "last_name": "Quill"}, "Zoë", "Quill", false},
		{"all three contradicting", names{"full_name": "Zoë Quill", "first_name": "Ann", "last_name": "Lee"}, "Ann", "Lee", true},
		{"a first name that is half a word", names{"full_name": "Annabel Lee", "first_name": "Ann"}, "Ann", "abel Lee", true},
		{"a first name that differs", names{"full_name": "Zoë Quill", "first_name": "Bob"}, "Bob", "Zoë Quill", true},
		{"a last name that differs", names{"full_name": "Zoë Quill", "last_name": "Bob"}, "Zoë Quill", "Bob", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := changeOf(t, row.given)
			first, last, problem := c.mergeNames("Ann", "Lee")
			if (problem != "") != row.problem {
				t.Fatalf("problem is %q", problem)
			}
			if diff := cmp.Diff([]string{row.first, row.last}, []string{first, last}); !row.problem && diff != "" {
				t.Errorf("first and last name (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNamesThatTheStoreWouldCutAreReported(t *testing.T) {
	long := func(n int) string { return strings.Repeat("é", n) }
	for _, row := range []struct {
		name   string
		given  map[string]string
		fields []string
	}{
		{"parts of 192 characters fit", map[string]string{"full_name": long(192) + " " + long(62)}, nil},
		{"a first word of 193 does not", map[string]string{"full_name": long(193) + " Lee"}, []string{"full_name"}},
		{"a last word of 193 does not", map[string]string{"full_name": "Ann " + long(193)}, []string{"full_name"}},
		{"two parts that make more than 255 do not", map[string]string{"first_name": long(192), "last_name": long(64)}, []string{"first_name"}},
		{"a blank full name is refused", map[string]string{"full_name": "  "}, []string{"full_name"}},
		{"a blank first name is refused", map[string]string{"first_name": " "}, []string{"first_name"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			var got []string
			for _, v := range changeOf(t, row.given).checkNames() {
				got = append(got, v.Field)
			}
			if diff := cmp.Diff(row.fields, got); diff != "" {
				t.Errorf("fields (-want +got):\n%s", diff)
			}
		})
	}
}
