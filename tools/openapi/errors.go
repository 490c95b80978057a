package main

import (
	"github.com/getkin/kin-openapi/openapi3"
)

// typePrefix begins the @type of a detail.
const typePrefix = "type.googleapis.com/google.rpc."

// addErrors replaces the schema of google.rpc.Status by one that knows the details that the gateway sends.
func addErrors(schemas openapi3.Schemas) {
	details := openapi3.NewSchema()
	details.Description = "A detail of an error; `@type` says which."
	details.Discriminator = &openapi3.Discriminator{PropertyName: "@type", Mapping: map[string]openapi3.MappingRef{}}
	for name, schema := range detailSchemas() {
		withType(schema, name)
		schemas[name] = openapi3.NewSchemaRef("", schema)
		details.Discriminator.Mapping[typePrefix+name] = openapi3.MappingRef{Ref: "#/components/schemas/" + name}
	}
	for _, name := range []string{"BadRequest", "ErrorInfo", "PreconditionFailure", "ResourceInfo", "RetryInfo"} {
		details.OneOf = append(details.OneOf, reference(name))
	}
	schemas["ErrorDetail"] = openapi3.NewSchemaRef("", details)

	list := openapi3.NewArraySchema()
	list.Description = "ErrorInfo is always there; the others say more about its reason."
	list.Items = reference("ErrorDetail")
	list.MinItems = 1
	code := openapi3.NewInt32Schema().WithMin(1).WithMax(16)
	code.Description = "The gRPC status code."
	status := object("An error: a google.rpc.Status.", map[string]*openapi3.Schema{
		"code":    code,
		"message": text("One English sentence for people: what is wrong, then what would be right."),
		"details": list,
	})
	closeSchema(status)
	schemas["Status"] = openapi3.NewSchemaRef("", status)
}

// detailSchemas are the details that the gateway sends, without their @type.
func detailSchemas() map[string]*openapi3.Schema {
	writeState := text("What happened to the write: it was not sent; it was sent and the store refused it; or the gateway cannot tell, so read the customer before you send it again.")
	writeState.Enum = []any{"not_sent", "rejected", "unknown"}
	metadata := object("", map[string]*openapi3.Schema{
		"write_state":     writeState,
		"upstream_status": text("The HTTP status of the store's response."),
		"upstream_code":   text("The code in the store's response, if it is a known one."),
	})
	metadata.Required = []string{"write_state"}
	metadata.AdditionalProperties = openapi3.AdditionalProperties{Schema: openapi3.NewSchemaRef("", openapi3.NewStringSchema())}

	domain := text("Always fluentcart-gateway.")
	domain.Enum = []any{"fluentcart-gateway"}
	delay := text("Seconds, such as 5s or 1.500s.")
	delay.Pattern = `^[0-9]+(\.[0-9]+)?s$`
	return map[string]*openapi3.Schema{
		"ErrorInfo": closed(object("The reason of an error.", map[string]*openapi3.Schema{
			"reason": text("The name of the error, such as EMAIL_TAKEN."), "domain": domain, "metadata": metadata,
		})),
		"BadRequest": closed(object("The fields of the request that are wrong.", map[string]*openapi3.Schema{
			"fieldViolations": nonEmpty(closed(object("", map[string]*openapi3.Schema{
				"field": text("Name of a field of the request, or the place of the fault."), "description": text("One English sentence: what is wrong, then what would be right."),
			}))),
		})),
		"PreconditionFailure": closed(object("What must be changed in the store before the call can succeed.", map[string]*openapi3.Schema{
			"violations": nonEmpty(closed(object("", map[string]*openapi3.Schema{
				"type": text(""), "subject": text("The customer, such as customers/3."), "description": text("One English sentence."),
			}))),
		})),
		"ResourceInfo": closed(object("The customer that does not exist.", map[string]*openapi3.Schema{
			"resourceType": text(""), "resourceName": text("The customer, such as customers/999."), "description": text("One English sentence."),
		})),
		"RetryInfo": closed(object("How long to wait before the call is sent again; the header Retry-After says it too.", map[string]*openapi3.Schema{
			"retryDelay": delay,
		})),
	}
}

func withType(schema *openapi3.Schema, name string) {
	kind := openapi3.NewStringSchema()
	kind.Enum = []any{typePrefix + name}
	schema.Properties["@type"] = openapi3.NewSchemaRef("", kind)
	closeSchema(schema)
}

func object(description string, properties map[string]*openapi3.Schema) *openapi3.Schema {
	schema := openapi3.NewObjectSchema()
	schema.Description = description
	for name, property := range properties {
		schema.Properties[name] = openapi3.NewSchemaRef("", property)
	}
	return schema
}

func closed(schema *openapi3.Schema) *openapi3.Schema {
	closeSchema(schema)
	return schema
}

func nonEmpty(items *openapi3.Schema) *openapi3.Schema {
	list := openapi3.NewArraySchema().WithMinItems(1)
	list.Items = openapi3.NewSchemaRef("", items)
	return list
}

func text(description string) *openapi3.Schema {
	schema := openapi3.NewStringSchema()
	schema.Description = description
	return schema
}
