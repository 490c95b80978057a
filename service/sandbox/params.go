package sandbox

import (
	"encoding/json"
	"errors"
	"mime"
	"strconv"
	"strings"
)

// params are the fields of a request's body, by name, not yet cast.
type params map[string]json.RawMessage

// values are the fields of a PUT: params, or the texts that the companion sends.
type values interface {
	// text returns the field as text, or nil if it is left out or null.
	text(field string) *string
	// integer returns the field as an integer, or nil if it is left out or null.
	integer(field string) *int64
}

var _, _ values = params{}, texts{}

// parseParams reads a body as WordPress does. It returns false for a body that is not JSON.
func parseParams(contentType string, body []byte) (params, bool) {
	// WordPress parses a body as JSON only if the Content-Type says so, and otherwise sees no fields at all.
	if len(body) == 0 || !isJSON(contentType) {
		return nil, true
	}
	var p params
	if err := json.Unmarshal(body, &p); err != nil {
		// A list or a scalar is JSON without named fields.
		return nil, json.Valid(body)
	}
	return p, true
}

func isJSON(contentType string) bool {
	mediaType, _, err := mime.ParseMediaType(contentType)
	return err == nil && (mediaType == "application/json" || strings.HasSuffix(mediaType, "+json"))
}

func (p params) text(field string) *string {
	return castText(p[field])
}

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

// hasListForText reports whether a text field holds a list or an object.
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

// texts are fields whose values are texts; nil is null.
type texts map[string]*string

func (t texts) text(field string) *string { return t[field] }

func (t texts) integer(field string) *int64 {
	text := t[field]
	if text == nil {
		return nil
	}
	return new(castInt(*text))
}

// castInt casts text to an integer as PHP does: it returns the number that the text starts with, or 0.
func castInt(s string) int64 {
	s = strings.TrimLeft(s, phpSpace)
	end := 0
	if end < len(s) && (s[end] == '-' || s[end] == '+') {
		end++
	}
	for end < len(s) && '0' <= s[end] && s[end] <= '9' {
		end++
	}
	n, err := strconv.ParseInt(s[:end], 10, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0
	}
	return n // out of range: the nearest int64, as in PHP
}

// castText casts a JSON scalar to text as PHP does; it returns nil for null.
func castText(v json.RawMessage) *string {
	var s string
	switch {
	case len(v) == 0 || v[0] == 'n':
		return nil
	case v[0] == '"':
		// The body has been parsed already, so this cannot fail.
		_ = json.Unmarshal(v, &s)
	case v[0] == 't':
		s = "1"
	case v[0] == 'f':
		s = ""
	default:
		s = numberText(string(v))
	}
	return &s
}

// numberText formats a JSON number as PHP does: 75 and 75.0 are both "75".
func numberText(literal string) string {
	if !strings.ContainsAny(literal, ".eE") {
		return literal
	}
	f, err := strconv.ParseFloat(literal, 64)
	if err != nil {
		return literal
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}
