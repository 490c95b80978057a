package sandbox

import (
	"encoding/json"
	"mime"
	"strings"
)

// params are the fields of a request's body, by name, not yet cast.
type params map[string]json.RawMessage

// textFields are the fields that the store passes on to functions for text. The others are cast or ignored (F16).
var textFields = []string{
	"email", "full_name", "first_name", "last_name", "city", "state", "country", "postcode", "status", "notes", "aov",
	"user_url",
}

// columnFields are the fields of which a PUT makes the row.
var columnFields = []string{
	"email", "full_name", "first_name", "last_name", "city", "state", "country", "postcode", "status", "notes", "aov",
	"user_id",
}

// parseParams reads a body as WordPress does. It says false for a body that is no JSON.
func parseParams(contentType string, body []byte) (params, bool) {
	// WordPress looks into a JSON body only if the Content-Type calls it one, and otherwise sees no fields at all.
	if len(body) == 0 || !isJSON(contentType) {
		return nil, true
	}
	var p params
	if err := json.Unmarshal(body, &p); err != nil {
		// A list or a scalar is JSON, but has no named fields.
		return nil, json.Valid(body)
	}
	return p, true
}

func isJSON(contentType string) bool {
	if contentType == "application/json" {
		return true
	}
	mediaType, _, err := mime.ParseMediaType(contentType)
	return err == nil && (mediaType == "application/json" || strings.HasSuffix(mediaType, "+json"))
}

// text is the field as text; nil where it is left out or null.
func (p params) text(field string) *string {
	return castText(p[field])
}

// integer is the field as an integer; nil where it is left out or null.
func (p params) integer(field string) *int64 {
	v := p[field]
	n := int64(0)
	switch {
	case len(v) == 0 || v[0] == 'n':
		return nil
	case v[0] == '[' || v[0] == '{':
		// PHP casts an empty list to 0 and any other to 1.
		if !isEmptyList(v) {
			n = 1
		}
	default:
		n = castInt(*castText(v))
	}
	return &n
}

// hasListForText says whether a list or an object stands where text belongs.
func (p params) hasListForText() bool {
	for _, field := range textFields {
		if v := p[field]; len(v) > 0 && (v[0] == '[' || v[0] == '{') {
			return true
		}
	}
	return false
}

func isEmptyList(v json.RawMessage) bool {
	return strings.TrimSpace(string(v[1:len(v)-1])) == ""
}
