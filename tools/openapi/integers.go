package main

import "regexp"

var int64AsText = regexp.MustCompile(`"type": "string",(\s+"format": "u?int64")`)

// withIntegers says in an OpenAPI 2 document that 64-bit integers are JSON numbers, as the gateway writes them. Canonical
// proto JSON has them as texts, so the generator says so of all of them; an option of the proto corrects a field, but
// neither the values of a map nor a parameter in the path.
func withIntegers(v2 []byte) []byte {
	return int64AsText.ReplaceAll(v2, []byte(`"type": "integer",$1`))
}
