package main

import (
	"fmt"
	"maps"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
)

// renamed are the names of schemas without the prefixes of their packages, as generated programs will have them.
var renamed = map[string]string{
	"v1Customer":               "Customer",
	"v1GetCustomerResponse":    "GetCustomerResponse",
	"v1UpdateCustomerResponse": "UpdateCustomerResponse",
	"v1Warning":                "Warning",
	"WarningReason":            "WarningReason",
	"rpcStatus":                "Status",
}

// correctSchemas says what is on the wire. The generator has one schema for the customer of a request, where each field may
// be absent and null clears, and of a response, where each field is present and may hold a value from before the limits.
func correctSchemas(schemas openapi3.Schemas) error {
	delete(schemas, "protobufAny") // Status has the details that there are
	for from, to := range renamed {
		if schemas[from] == nil {
			return fmt.Errorf("there is no schema %s", from)
		}
		if from != to {
			schemas[to] = schemas[from]
			delete(schemas, from)
		}
	}
	for name := range schemas {
		if !slices.Contains(slices.Collect(maps.Values(renamed)), name) {
			return fmt.Errorf("the schema %s has no name in OpenAPI 3", name)
		}
	}
	schemas["CustomerUpdate"] = openapi3.NewSchemaRef("", customerUpdate(schemas["Customer"].Value))
	correctCustomer(schemas["Customer"].Value)
	schemas["UpdateCustomerResponse"].Value.Properties["data"] = reference("Customer")
	schemas["UpdateCustomerResponse"].Value.Properties["warnings"].Value.Items = reference("Warning")
	schemas["GetCustomerResponse"].Value.Properties["customer"] = reference("Customer")
	schemas["Warning"].Value.Properties["reason"] = reference("WarningReason")
	reason := schemas["WarningReason"].Value
	reason.Default = nil
	reason.Enum = slices.DeleteFunc(reason.Enum, func(value any) bool { return value == "REASON_UNSPECIFIED" }) // "Not used"
	for _, name := range []string{"Customer", "UpdateCustomerResponse", "GetCustomerResponse", "Warning"} {
		closeSchema(schemas[name].Value)
	}
	addErrors(schemas)
	return nil
}

// customerUpdate returns the schema of a request's customer: the fields that can be written.
func customerUpdate(customer *openapi3.Schema) *openapi3.Schema {
	update := openapi3.NewObjectSchema()
	update.Description = "The fields to change. A field that is absent is left as it is. null and the empty string clear a field. The other fields of Customer are accepted and ignored, so that a customer can be sent back as it was read; fields that Customer does not have are refused by name."
	update.Example = customer.Example
	for name, property := range customer.Properties {
		if property.Value.ReadOnly {
			continue
		}
		field := *property.Value
		update.Properties[name] = openapi3.NewSchemaRef("", &field)
	}
	return update
}

// correctCustomer leaves out the limits, which a row of a shop may exceed, and null where the gateway writes the empty
// text or 0.
func correctCustomer(customer *openapi3.Schema) {
	customer.Example = nil
	for _, property := range customer.Properties {
		field := property.Value
		if field.ReadOnly {
			field.ReadOnly = false // it stands in no request
			continue
		}
		field.Nullable, field.MinLength, field.MaxLength = false, 0, nil
		if field.Format == "email" {
			field.Format = "" // a customer may have none, or one that is not an e-mail address
		}
	}
}

// closeSchema says that each field is present and that there are no others.
func closeSchema(schema *openapi3.Schema) {
	schema.Required = nil
	for name := range schema.Properties {
		schema.Required = append(schema.Required, name)
	}
	slices.Sort(schema.Required)
	no := false
	schema.AdditionalProperties = openapi3.AdditionalProperties{Has: &no}
}

func reference(schema string) *openapi3.SchemaRef {
	return openapi3.NewSchemaRef("#/components/schemas/"+schema, nil)
}
