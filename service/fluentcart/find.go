package fluentcart

import (
	"bytes"
	"encoding/json"
)

// maxStarts bounds how often the beginning of the JSON is looked for, so that a hostile body costs little.
const maxStarts = 16

// findJSON decodes the JSON object of an answer. PHP can print warnings in front of it, or behind (F20): where
// the body as a whole is not JSON, it is the first object in it that accept takes. Warnings can hold objects of
// their own, so accept has to know an answer; what is inside an object is never one. Without one it returns the
// zero T and false.
func findJSON[T any](body []byte, accept func(T) bool) (T, bool) {
	var zero T
	var value T
	if json.Unmarshal(body, &value) == nil {
		if accept(value) {
			return value, true
		}
		return zero, false
	}
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
	return zero, false
}
