package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/getkin/kin-openapi/openapi2"
	"github.com/getkin/kin-openapi/openapi2conv"
	"github.com/getkin/kin-openapi/openapi3"
)

// convert returns the OpenAPI 3 document of an OpenAPI 2 one, with what version 2 or its generator cannot express.
func convert(v2 []byte) (*openapi3.T, error) {
	var from openapi2.T
	if err := json.Unmarshal(v2, &from); err != nil {
		return nil, err
	}
	doc, err := openapi2conv.ToV3(&from)
	if err != nil {
		return nil, err
	}
	doc.OpenAPI = "3.0.3"
	doc.Servers = openapi3.Servers{{URL: "/", Description: "The gateway that serves this document. By default that is http://127.0.0.1:8080."}}
	doc.Tags = openapi3.Tags{{Name: "customers", Description: "Customers of a FluentCart store."}}
	correctSecurity(doc)
	if err := correctSchemas(doc.Components.Schemas); err != nil {
		return nil, err
	}
	if err := correctOperations(doc); err != nil {
		return nil, err
	}
	loaded, err := load(doc)
	if err != nil {
		return nil, err
	}
	return doc, loaded.Validate(context.Background(), openapi3.EnableExamplesValidation())
}

// load reads a document that was built, so that its references resolve.
func load(doc *openapi3.T) (*openapi3.T, error) {
	content, err := json.Marshal(doc)
	if err != nil {
		return nil, err
	}
	loaded, err := openapi3.NewLoader().LoadFromData(content)
	if err != nil {
		return nil, fmt.Errorf("the result is no OpenAPI 3 document: %w", err)
	}
	return loaded, nil
}

// correctSecurity makes the token a bearer token, which version 2 does not know, and allows a call without credentials:
// with --caller-auth=none there are none, and with mtls there is a certificate, which OpenAPI 3.0 does not know.
func correctSecurity(doc *openapi3.T) {
	token := doc.Components.SecuritySchemes["Token"].Value
	*token = openapi3.SecurityScheme{
		Type: "http", Scheme: "bearer",
		Description: "The token that the operator of the gateway issued, for a gateway with --caller-auth=token. (With --caller-auth=mtls a caller presents a client certificate and sends no header.)",
	}
	doc.Security = append(doc.Security, openapi3.NewSecurityRequirement())
}
