package main

import "github.com/getkin/kin-openapi/openapi3"

// statusHeaders are the headers of responses, besides X-Request-Id, by status.
var statusHeaders = map[string]string{
	"200": "ETag", "304": "ETag", "401": "WWW-Authenticate", "405": "Allow", "415": "Accept-Encoding", "429": "Retry-After", "503": "Retry-After",
}

// headerDescriptions are the headers of responses, and what they hold.
var headerDescriptions = map[string]string{
	"X-Request-Id":     "The id of the request, as the caller sent it or as the gateway chose it. The log has it.",
	"ETag":             "The customer's version in double quotes, for If-Match and If-None-Match. Absent if the store's response to a write does not show it.",
	"WWW-Authenticate": "The scheme that the gateway expects.",
	"Allow":            "The methods of the path.",
	"Accept-Encoding":  "identity: a body must not be compressed.",
	"Retry-After":      "Seconds to wait before the call is sent again, if the gateway can tell.",
}

func addHeaders(components *openapi3.Components) {
	components.Headers = openapi3.Headers{}
	for name, description := range headerDescriptions {
		schema := openapi3.NewStringSchema()
		if name == "Retry-After" {
			schema = openapi3.NewInt64Schema().WithMin(1)
		}
		header := openapi3.Parameter{Description: description, Schema: openapi3.NewSchemaRef("", schema), Required: name == "X-Request-Id"}
		if name == "Accept-Encoding" {
			header.Example = "identity"
		}
		components.Headers[name] = &openapi3.HeaderRef{Value: &openapi3.Header{Parameter: header}}
	}
}
