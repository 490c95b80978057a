package httpjson

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// documentedPath begins the path of FluentCart's own documentation.
const documentedPath = "/wp-json/"

// castNumber turns the forms that mean a number, and are none in JSON, into it, as the store's cast to an integer does:
// an empty text and false, as forms and PHP programs send them for no number, and spaces around digits. The cast would also
// make 0 of "abc", and 7 of "7 or 8". A user_id of 0 unlinks the customer, and any other one links it (F13), so that only
// what has one meaning is cast; the rest is refused.
func castNumber(value jsontext.Value) jsontext.Value {
	switch value.Kind() {
	case 'f':
		return jsontext.Value("0")
	case '"':
		text := bytes.Trim(value[1:len(value)-1], " ")
		if len(text) == 0 {
			return jsontext.Value("0")
		}
		return append(append(jsontext.Value{'"'}, text...), '"')
	}
	return value
}
