package sandbox

import (
	"bytes"
	"encoding/json"
)

// fault is one rule that one field broke.
type fault struct {
	field, rule, message string
}

// faults become the body of a 422: {field: {rule: message}}, in the order of the rules (F5).
type faults []fault

// MarshalJSON writes the fields in the order in which they were checked; a map would sort them.
func (fs faults) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	for i, f := range fs {
		switch {
		case i == 0:
			b.WriteByte('{')
		case f.field != fs[i-1].field:
			b.WriteString("},")
		default:
			b.WriteByte(',')
		}
		if i == 0 || f.field != fs[i-1].field {
			writeJSONString(&b, f.field)
			b.WriteString(":{")
		}
		writeJSONString(&b, f.rule)
		b.WriteByte(':')
		writeJSONString(&b, f.message)
	}
	b.WriteString("}}")
	return b.Bytes(), nil
}

func writeJSONString(b *bytes.Buffer, s string) {
	quoted, _ := json.Marshal(s) // a string cannot fail
	b.Write(quoted)
}
