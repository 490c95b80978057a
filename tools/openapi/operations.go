package main

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// operation is what OpenAPI 2 cannot say about one call: a name that makes a good method, and a summary.
type operation struct{ method, path, id, summary string }

var operations = [...]operation{
	{http.MethodGet, "/v1/customers/{customer_id}", "getCustomer", "Read a customer"},
	{http.MethodPut, "/v1/customers/{customer_id}", "updateCustomer", "Update a customer"},
	{http.MethodPatch, "/v1/customers/{customer_id}", "patchCustomer", "Update a customer; the same as PUT"},
	{http.MethodGet, "/wp-json/fluent-cart/v2/customers/{customer_id}", "getFluentCartCustomer", "Read a customer, on FluentCart's own path"},
	{http.MethodPut, "/wp-json/fluent-cart/v2/customers/{customer_id}", "updateFluentCartCustomer", "Update a customer, on FluentCart's own path"},
	{http.MethodPost, "/wp-json/fluent-cart/v2/customers/{customer_id}", "postFluentCartCustomer", "Update a customer, on FluentCart's own path, as its PHP sample sends it"},
}

func correctOperations(doc *openapi3.T) error {
	found := 0
	for _, path := range doc.Paths.Map() {
		found += len(path.Operations())
	}
	if found != len(operations) {
		return fmt.Errorf("there are %d operations, and names for %d", found, len(operations))
	}
	addHeaders(doc.Components)
	for _, one := range operations {
		path := doc.Paths.Value(one.path)
		if path == nil || path.GetOperation(one.method) == nil {
			return fmt.Errorf("there is no %s %s", one.method, one.path)
		}
		correctOperation(one, path.GetOperation(one.method), doc.Components.Schemas)
	}
	return nil
}

func correctOperation(of operation, call *openapi3.Operation, schemas openapi3.Schemas) {
	call.Description = call.Summary + "\n\n" + call.Description // the generator has made its first paragraph the summary
	call.OperationID, call.Summary = of.id, of.summary
	for _, parameter := range call.Parameters {
		if parameter.Value.In == openapi3.ParameterInPath {
			parameter.Value.Schema = openapi3.NewSchemaRef("", openapi3.NewInt64Schema().WithMin(1))
			parameter.Value.Example = 1 // a customer that the sandbox store has
			parameter.Value.Extensions = nil
		}
	}
	if call.RequestBody != nil {
		body := call.RequestBody.Value
		body.Content = openapi3.Content{"application/json": {Schema: reference("CustomerUpdate"), Examples: bodyExamples(of.method, schemas)}}
		body.Description = "The new values."
	}
	call.Responses.Delete("default") // all statuses are listed
	call.Responses.Delete("499")     // its caller is gone: only the log has it
	for status, response := range call.Responses.Map() {
		correctResponse(status, of.method, response.Value, schemas)
	}
}

func correctResponse(status, method string, response *openapi3.Response, schemas openapi3.Schemas) {
	response.Headers = headersOf(status)
	switch {
	case status == "304":
		response.Content = nil
	case status == "200" && method == http.MethodGet:
		response.Content = content("GetCustomerResponse", map[string]any{"customer": customerExample(schemas)})
	case status == "200":
		response.Content = content("UpdateCustomerResponse", map[string]any{
			"message": "Customer updated successfully!", "data": customerExample(schemas), "changed_fields": []string{"city"}, "warnings": []any{},
		})
	default:
		var example any
		if media := response.Content.Get("application/json"); media != nil {
			example = withoutEmptyTexts(media.Example)
		}
		if example == nil {
			example = errorExamples[status].asStatus()
		}
		response.Content = content("Status", example)
	}
}

func content(schema string, example any) openapi3.Content {
	return openapi3.Content{"application/json": {Schema: reference(schema), Example: example}}
}

// withoutEmptyTexts leaves out of an example of an error what the gateway leaves out.
func withoutEmptyTexts(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for name, member := range value {
			if member == "" {
				delete(value, name)
			} else {
				value[name] = withoutEmptyTexts(member)
			}
		}
	case []any:
		for i := range value {
			value[i] = withoutEmptyTexts(value[i])
		}
	}
	return value
}

// headersOf returns the headers of a response with a status.
func headersOf(status string) openapi3.Headers {
	headers := openapi3.Headers{}
	for _, name := range strings.Fields("X-Request-Id " + statusHeaders[status]) {
		headers[name] = &openapi3.HeaderRef{Ref: "#/components/headers/" + name}
	}
	return headers
}
