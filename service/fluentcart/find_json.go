package fluentcart

import (
	"bytes"
	"encoding/json"
)

// maxStarts bounds how many opening braces are tried as the beginning of the JSON, so that a hostile body costs little.
const maxStarts = 16

// findJSON decodes the JSON object of a response. PHP can print warnings in front of the object or behind it (F20): if
// the body as a whole is not JSON, findJSON returns the first object in it that accept takes. A warning can print objects
// of its own, so accept must recognise a response; objects inside another object are not tried. If there is none, findJSON
// returns the zero T and false.
func findJSON[T any](body []byte, accept func(T) bool) (T, bool) {
	for range maxStarts {
		start := bytes.IndexByte(body, '{')
		if start < 0 {
			break
		}
		body = body[start:]
		decoder := json.NewDecoder(bytes.NewReader(body))
		var whole json.RawMessage
		if decoder.Decode(&whole) != nil {
			body = body[1:]
			continue
		}
		var value T
		if json.Unmarshal(whole, &value) == nil && accept(value) {
			return value, true
		}
		body = body[decoder.InputOffset():]
	}
	var zero T
	return zero, false
}
