package fluentcart

import (
	"bytes"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// maxStarts bounds how many opening braces are tried as the beginning of the JSON, so that a hostile body costs little.
const maxStarts = 16

// findObject looks for the JSON object of a response. PHP can print warnings in front of the object or behind it (F20), and
// a warning can print objects of its own. read reads one object to its end, and reports whether it is the response; its
// error means that the JSON is malformed. findObject reports whether read has accepted an object; objects inside another
// object are not tried.
func findObject(body []byte, read func(*jsontext.Decoder) (bool, error)) bool {
	for range maxStarts {
		start := bytes.IndexByte(body, '{')
		if start < 0 {
			break
		}
		body = body[start:]
		in := jsontext.NewDecoder(bytes.NewBuffer(body), tolerant)
		switch accepted, err := read(in); {
		case err != nil:
			body = body[1:]
		case accepted:
			return true
		default:
			body = body[in.InputOffset():]
		}
	}
	return false
}

// findJSON returns the first object that accept takes, or the zero T. A T must accept any JSON in its members.
func findJSON[T any](body []byte, accept func(T) bool) T {
	var found T
	findObject(body, func(in *jsontext.Decoder) (bool, error) {
		var value T
		if err := json.UnmarshalDecode(in, &value, tolerant); err != nil || !accept(value) {
			return false, err
		}
		found = value
		return true, nil
	})
	return found
}
