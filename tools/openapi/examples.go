package main

import (
	"encoding/json"
	"net/http"

	"github.com/getkin/kin-openapi/openapi3"
)

// documented is the body in FluentCart's documentation of the call.
const documented = `{"email": "customer@example.com", "full_name": "John Doe Updated", "city": "string", "status": "string", "notes": "string", "country": "string", "state": "string", "postcode": "string", "user_id": 0}`

// bodyExamples are the bodies to choose from. Viewers fill in the first one in the order of their names.
func bodyExamples(method string, schemas openapi3.Schemas) openapi3.Examples {
	examples := openapi3.Examples{
		"2_all_fields": example("All fields that FluentCart documents", schemas["CustomerUpdate"].Value.Example),
		"3_one_field":  example("One field: all others stay as they are", map[string]any{"city": "Lyon"}),
		"4_clear":      example("null clears a field", map[string]any{"notes": nil}),
		"5_refused":    example("An error: the store refuses tags in the city", map[string]any{"city": "<b>Lyon</b>"}),
	}
	if method == http.MethodPatch {
		examples["1_one_field"] = example("One field: all others stay as they are", map[string]any{"city": "Lyon"})
		delete(examples, "3_one_field")
		return examples
	}
	examples["1_documented"] = example("The body in FluentCart's documentation", json.RawMessage(documented))
	return examples
}

func example(summary string, value any) *openapi3.ExampleRef {
	return &openapi3.ExampleRef{Value: &openapi3.Example{Summary: summary, Value: value}}
}

// customerExample is a whole customer, made of the examples of its fields.
func customerExample(schemas openapi3.Schemas) map[string]any {
	customer := map[string]any{}
	for name, property := range schemas["Customer"].Value.Properties {
		customer[name] = property.Value.Example
	}
	customer["first_name"], customer["last_name"] = "John Doe", "Updated" // as a store splits the full name
	return customer
}
